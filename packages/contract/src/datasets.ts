// Data sets: uploaded files, their versions and what is in them.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { Id, IdText, Sha256, Title, UnixTime } from "./scalars.ts";

export const DatasetVersion = z.object({
  id: Id,
  dataset_id: Id,
  version: z.number().int().positive(),
  created_at: UnixTime,
  created_by: Id.nullable(),
  num_files: z.number().int(),
  size: z.number().int(),
  sha256: Sha256,
  /** Class name → number of files. */
  classes: z.record(z.string(), z.number().int()),
  /** Entries that were left out, with the reason. */
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
});
export type DatasetVersion = z.infer<typeof DatasetVersion>;

export const Dataset = z.object({
  id: Id,
  project_id: Id,
  name: z.string(),
  /** 2026-11-21: recordings (WAV, FLAC) beside images; found from the files' content. */
  kind: z.enum(["image-folder", "audio-folder"]),
  created_at: UnixTime,
  created_by: Id.nullable(),
  versions: z.array(DatasetVersion),
});
export type Dataset = z.infer<typeof Dataset>;

const ProjectQuery = z.object({ project_id: IdText.optional() });
export const listDatasets = defineEndpoint({
  domain: "datasets",
  name: "list-datasets",
  method: "GET",
  path: "/api/datasets",
  access: "signed-in",
  summary: "Data sets of the projects that you are in.",
  query: ProjectQuery,
  response: z.object({ datasets: z.array(Dataset) }),
});
export const getDataset = defineEndpoint({
  domain: "datasets",
  name: "get-dataset",
  method: "GET",
  path: "/api/datasets/:dataset_id",
  access: "project-viewer",
  summary: "One data set with its versions.",
  params: z.object({ dataset_id: IdText }),
  response: Dataset,
});
/** The body is the zip itself, `application/zip`. */
export const uploadDataset = defineEndpoint({
  domain: "datasets",
  name: "upload-dataset",
  method: "POST",
  path: "/api/datasets",
  access: "project-member",
  summary:
    "Upload a zip of images or of WAV and FLAC recordings, one folder a class; becomes version 1.",
  query: z.object({ name: Title, project_id: IdText.optional() }),
  response: Dataset,
  status: 201,
  stream: "upload",
});
