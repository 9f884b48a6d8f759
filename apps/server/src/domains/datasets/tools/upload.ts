// Takes an upload to disk, bounded: what ends early or grows too large leaves nothing behind.
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SpotterError } from "../../../platform/errors.ts";
import { detachedBody } from "../../../platform/request-body.ts";
import { uploadIncomplete, uploadTooLarge } from "../errors.ts";

/** @param announcedBytes the Content-Length, where there is one. @returns the file's path */
export async function receiveUpload(
  body: Readable,
  folder: string,
  maxBytes: number,
  announcedBytes: number | null,
): Promise<string> {
  if (announcedBytes !== null && announcedBytes > maxBytes)
    throw uploadTooLarge(maxBytes, announcedBytes);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, randomUUID());
  let size = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > maxBytes) return done(uploadTooLarge(maxBytes, announcedBytes));
      done(null, chunk);
    },
  });
  try {
    await pipeline(detachedBody(body), count, createWriteStream(file, { mode: 0o600 }));
    if (announcedBytes !== null && size !== announcedBytes) throw uploadIncomplete();
    return file;
  } catch (error) {
    await rm(file, { force: true });
    if (error instanceof SpotterError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC") throw new SpotterError("disk-full", undefined, { cause: error });
    throw uploadIncomplete(error);
  }
}
