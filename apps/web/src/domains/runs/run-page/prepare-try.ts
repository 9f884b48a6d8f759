// What the Try-it panel needs to decide: which pictures and sounds may be sent, and how a small grey image is painted.
import type { Prediction } from "@spotter/contract";

/** The server takes 14 million base64 characters a picture. */
export const MAX_PICTURE_BYTES = 10_000_000;
export const MAX_PICTURES = 16;

export interface PictureProblem {
  name: string;
  problem: "too-large" | "not-a-picture" | "too-many";
}

/** Sorts chosen files into those that can be sent and those that cannot, each with its reason. */
export function choosePictures<File extends { name: string; size: number; type: string }>(
  files: readonly File[],
): { accepted: File[]; problems: PictureProblem[] } {
  const accepted: File[] = [];
  const problems: PictureProblem[] = [];
  for (const file of files) {
    if (!/^(image|audio)\//.test(file.type))
      problems.push({ name: file.name, problem: "not-a-picture" });
    else if (file.size > MAX_PICTURE_BYTES)
      problems.push({ name: file.name, problem: "too-large" });
    else if (accepted.length >= MAX_PICTURES)
      problems.push({ name: file.name, problem: "too-many" });
    else accepted.push(file);
  }
  return { accepted, problems };
}

/** What an answer is about, by name; null where its text, which is shown, is all that it is called by. */
export function shownName({ input, name, asked }: Prediction): string | null {
  if (name !== null) return name;
  return asked !== null && input !== "" && asked.startsWith(input) ? null : input;
}

/** A recording as it came with an answer, as a file that the browser plays. */
export function soundFile(base64: string): Blob {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: "audio/wav" });
}

/** RGBA bytes of a grey image of values 0–1. */
export function greyPixels(rows: readonly (readonly number[])[]): {
  width: number;
  height: number;
  pixels: Uint8ClampedArray;
} {
  const height = rows.length;
  const width = rows[0]?.length ?? 0;
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const grey = Math.round((rows[row]?.[column] ?? 0) * 255);
      pixels.set([grey, grey, grey, 255], (row * width + column) * 4);
    }
  return { width, height, pixels };
}
