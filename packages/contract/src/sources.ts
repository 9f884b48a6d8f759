// Where data and models come from: named by source, so that a config never holds a path that the server has not
// checked.
import { z } from "zod";
import { Id } from "./scalars.ts";

/** Data that every worker can make or finds installed: handwritten digits; the Python installation's own source text;
 * the generated relational questions. */
export const BuiltinData = z.enum(["digits", "python-source", "sort-of-clevr"]);
export type BuiltinData = z.infer<typeof BuiltinData>;

/** One of: built in, a path on the server inside `SPOTTER_DATA_ROOTS`, an uploaded dataset's version. */
export const DataSource = z.union([
  z.object({ builtin: BuiltinData }).strict(),
  z.object({ path: z.string().min(1).max(4096) }).strict(),
  z.object({ dataset_version: Id }).strict(),
]);
export type DataSource = z.infer<typeof DataSource>;

/** Data of one's own, for recipes that have nothing built in: a path or an uploaded dataset's version. */
export const FileSource = z.union([
  z.object({ path: z.string().min(1).max(4096) }).strict(),
  z.object({ dataset_version: Id }).strict(),
]);
export type FileSource = z.infer<typeof FileSource>;

/** A model that Spotter trained: a registered version, or a weights folder on the server inside `SPOTTER_DATA_ROOTS`. */
export const OwnModelSource = z.union([
  z.object({ model_version: Id }).strict(),
  z.object({ path: z.string().min(1).max(4096) }).strict(),
]);
export type OwnModelSource = z.infer<typeof OwnModelSource>;

/** One of: a registered model version, a path on the server inside `SPOTTER_DATA_ROOTS`, a Hub repository. */
export const ModelSource = z.union([
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
]);
export type ModelSource = z.infer<typeof ModelSource>;
