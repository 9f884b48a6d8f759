// What an attempt reads of the server's disk, and its spec for a machine where that lies elsewhere. Pure.
import path from "node:path";
import type { JobSpec } from "@spotter/contract";
import type { Material } from "./executor.ts";

/** Where a run keeps the changes that people made while it trained; see worker/README.md. */
export const CHANGES_FILE = "changes.json";

/** @param runDir where the server keeps the job's files */
export function materialOf(spec: JobSpec, runDir: string): Material[] {
  const anywhere = [
    ...Object.values(spec.places),
    ...(spec.predict === null ? [] : [spec.predict.weights]),
    ...(spec.predict?.inputs ?? []).flatMap(({ file }) => (file === null ? [] : [file])),
  ];
  // What an earlier attempt left; the changes only where there was one.
  const own = spec.attempt === 1 ? [] : [CHANGES_FILE];
  if (spec.resume_from !== null) own.push(spec.resume_from);
  return [
    ...[...new Set(anywhere)].map((file) => ({ path: file, inRunDir: null })),
    ...own.map((inRunDir) => ({ path: path.join(runDir, inRunDir), inRunDir })),
  ];
}

/** @param placeOf where a path of the server's disk lies on the other machine */
export function relocated(spec: JobSpec, placeOf: (path: string) => string): JobSpec {
  const { predict } = spec;
  return {
    ...spec,
    places: Object.fromEntries(
      Object.entries(spec.places).map(([name, place]) => [name, placeOf(place)]),
    ),
    predict:
      predict === null
        ? null
        : {
            weights: placeOf(predict.weights),
            inputs: predict.inputs.map((input) => ({
              ...input,
              file: input.file === null ? null : placeOf(input.file),
            })),
          },
  };
}
