// What an upload is called, how fast it goes, and what the server's answer means. Pure.
import { ApiError } from "@spotter/client";
import { Dataset, ErrorEnvelope } from "@spotter/contract";

const TEXTS = /\.(txt|md|jsonl|ndjson|csv|tsv)$/i;
/** What the file picker offers. */
export const ACCEPTED = ".zip,.txt,.md,.jsonl,.ndjson,.csv,.tsv";

/** Whether a file is sent as it is: one file of texts; anything else must be a zip. */
export function isTextFile(fileName: string): boolean {
  return TEXTS.test(fileName);
}

/** A dataset is called like its file until somebody names it. @example nameOf("My flowers.zip") // "My flowers" */
export function nameOf(fileName: string): string {
  return fileName
    .replace(/\.zip$/i, "")
    .replace(TEXTS, "")
    .trim()
    .slice(0, 200);
}

export interface UploadRate {
  share: number;
  bytesPerS: number | null;
  remainingS: number | null;
}

export function uploadRate(
  sent: number,
  total: number,
  startedAtMs: number,
  nowMs: number,
): UploadRate {
  const seconds = (nowMs - startedAtMs) / 1000;
  const bytesPerS = seconds > 0.5 && sent > 0 ? sent / seconds : null;
  return {
    share: total > 0 ? Math.min(1, sent / total) : 0,
    bytesPerS,
    remainingS: bytesPerS === null ? null : (total - sent) / bytesPerS,
  };
}

export function readAnswer(
  status: number,
  text: string,
): { dataset: Dataset } | { failure: ApiError } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's own page, most often about the size of the body.
    body = undefined;
  }
  const dataset = Dataset.safeParse(body);
  if (status < 300 && dataset.success) return { dataset: dataset.data };
  const envelope = ErrorEnvelope.safeParse(body);
  if (envelope.success) {
    const { code, message, details } = envelope.data.error;
    return { failure: new ApiError(code, status, message, details ?? {}) };
  }
  const code = status === 413 ? "body-too-large" : "unexpected-answer";
  return { failure: new ApiError(code, status, `The server answered ${status}.`) };
}
