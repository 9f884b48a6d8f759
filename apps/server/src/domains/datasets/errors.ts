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
export const uploadTooLarge = (maxBytes: number) =>
  new SpotterError("body-too-large", `An upload may have ${maxBytes} bytes at most.`);
export const pathNotAllowed = (message?: string) => new SpotterError("path-not-allowed", message);
export const pathNotFound = () => new SpotterError("path-not-found");
