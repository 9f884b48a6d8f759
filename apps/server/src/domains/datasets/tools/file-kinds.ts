// Tells images and recordings by their first bytes: a name's ending says what a file claims to be, not what it is.

export type ImageKind = "png" | "jpeg" | "bmp" | "webp" | "gif";

/** So many first bytes are enough for every kind. */
export const MAGIC_BYTES = 12;

export function imageKindOf(head: Uint8Array): ImageKind | null {
  if (startsWith(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return "png";
  if (startsWith(head, [0xff, 0xd8, 0xff])) return "jpeg";
  if (startsWith(head, ascii("BM"))) return "bmp";
  if (startsWith(head, ascii("GIF87a")) || startsWith(head, ascii("GIF89a"))) return "gif";
  if (startsWith(head, ascii("RIFF")) && startsWith(head.subarray(8), ascii("WEBP"))) return "webp";
  return null;
}

export function soundKindOf(head: Uint8Array): "wav" | "flac" | null {
  const isRiff = startsWith(head, ascii("RIFF")) || startsWith(head, ascii("RF64"));
  if (isRiff && startsWith(head.subarray(8), ascii("WAVE"))) return "wav";
  if (startsWith(head, ascii("fLaC"))) return "flac";
  return null;
}

/** What kind of dataset a file can belong to. */
export type FolderKind = "image-folder" | "audio-folder";

export function folderKindOf(head: Uint8Array): FolderKind | null {
  if (imageKindOf(head) !== null) return "image-folder";
  return soundKindOf(head) === null ? null : "audio-folder";
}

function startsWith(head: Uint8Array, bytes: readonly number[]): boolean {
  return head.length >= bytes.length && bytes.every((byte, index) => head[index] === byte);
}

function ascii(text: string): number[] {
  return [...text].map((character) => character.charCodeAt(0));
}
