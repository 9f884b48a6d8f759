// Where data and models come from: named by source, so that a config never holds a path that the server has not
// checked.
import { z } from "zod";
import { Id } from "./scalars.ts";

/** Data that every worker can make or finds installed: handwritten digits; the Python installation's own source text;
 * the generated relational questions. */
export const BuiltinData = z.enum(["digits", "python-source", "sort-of-clevr"]);
export type BuiltinData = z.infer<typeof BuiltinData>;

/** What a source that is missing or of another shape is refused with. */
function mustName(...kinds: string[]): string {
  return `must name one of ${kinds.join(", ")}, such as {"path": "/data/flowers"}`;
}

/** One of: built in, a path on the server inside `SPOTTER_DATA_ROOTS`, an uploaded dataset's version. */
export const DataSource = z.union(
  [
    z.object({ builtin: BuiltinData }).strict(),
    z.object({ path: z.string().min(1).max(4096) }).strict(),
    z.object({ dataset_version: Id }).strict(),
  ],
  { error: mustName("builtin", "path", "dataset_version") },
);
export type DataSource = z.infer<typeof DataSource>;

/** Data of one's own, for recipes that have nothing built in: a path or an uploaded dataset's version. */
export const FileSource = z.union(
  [
    z.object({ path: z.string().min(1).max(4096) }).strict(),
    z.object({ dataset_version: Id }).strict(),
  ],
  { error: mustName("path", "dataset_version") },
);
export type FileSource = z.infer<typeof FileSource>;

/** A model that Spotter trained: a registered version, or a weights folder on the server inside `SPOTTER_DATA_ROOTS`. */
export const OwnModelSource = z.union(
  [
    z.object({ model_version: Id }).strict(),
    z.object({ path: z.string().min(1).max(4096) }).strict(),
  ],
  { error: mustName("model_version", "path") },
);
export type OwnModelSource = z.infer<typeof OwnModelSource>;

/** One of: a registered model version, a path on the server inside `SPOTTER_DATA_ROOTS`, a Hub repository. */
export const ModelSource = z.union(
  [
    ...OwnModelSource.options,
    z
      .object({
        hub: z
          .string()
          .max(200)
          .regex(/^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)?$/, "must be a name or owner/name"),
        revision: z.string().min(1).max(200).optional(),
      })
      .strict(),
  ],
  { error: mustName("model_version", "path", "hub") },
);
export type ModelSource = z.infer<typeof ModelSource>;
