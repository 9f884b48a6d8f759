// The failures of the datasets room.
import { SpotterError } from "../../platform/errors.ts";

export const datasetNotFound = () => new SpotterError("dataset-not-found");
export const datasetVersionNotFound = () => new SpotterError("dataset-version-not-found");
export const archiveUnreadable = (message?: string, cause?: unknown) =>
  new SpotterError("archive-unreadable", message, { cause });
export const archiveUnsafe = (message: string) => new SpotterError("archive-unsafe", message);
export const archiveEmpty = (message?: string) => new SpotterError("archive-empty", message);
export const textInvalid = (file: string, row: number, problem: string) =>
  new SpotterError("text-invalid", `${file}: ${problem}.`, { details: { file, row } });
export const uploadIncomplete = (cause?: unknown) =>
  new SpotterError("upload-incomplete", undefined, { cause });
/** @param numBytes where the client has said how many come */
export const uploadTooLarge = (maxBytes: number, numBytes: number | null) =>
  new SpotterError(
    "body-too-large",
    numBytes === null
      ? `An upload may have ${maxBytes} bytes at most.`
      : `The upload has ${numBytes} bytes; it may have ${maxBytes} at most.`,
    { details: { max_bytes: maxBytes, bytes: numBytes } },
  );
/** @param numBytes of all the project's datasets with the new one */
export const projectDataFull = (maxBytes: number, numBytes: number) =>
  new SpotterError(
    "project-data-full",
    `With this upload the project's datasets would hold ${numBytes} bytes; they may hold ${maxBytes} at most.`,
    { details: { max_bytes: maxBytes, bytes: numBytes } },
  );
export const pathNotAllowed = (message?: string) => new SpotterError("path-not-allowed", message);
export const pathNotFound = () => new SpotterError("path-not-found");
