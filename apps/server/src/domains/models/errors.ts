// The failures of the models room.
import { SpotterError } from "../../platform/errors.ts";

export const modelNotFound = () => new SpotterError("model-not-found");
export const versionNotFound = (message?: string) =>
  new SpotterError("model-version-not-found", message);
export const nameTaken = (name: string) =>
  new SpotterError("model-name-taken", `A model named ${name} exists already in the project.`);
export const versionNotReady = (message?: string) =>
  new SpotterError("model-version-not-ready", message);
export const versionInProduction = () => new SpotterError("model-version-in-production");
export const noEarlierProduction = () => new SpotterError("no-earlier-production");
export const fileNotFound = () =>
  new SpotterError("file-not-found", "The version has no file of this path.");
