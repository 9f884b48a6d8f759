// Datasets: uploaded files, their versions and what is in them.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { Id, IdText, limitText, Sha256, Title, UnixTime } from "./scalars.ts";

/** What the files of an uploaded dataset are. */
export const DatasetKind = z.enum(["image-folder", "audio-folder", "text"]);
export type DatasetKind = z.infer<typeof DatasetKind>;

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
  /** 2026-11-21: of texts, rows of tables and lines of plain text; null for images and recordings. */
  num_rows: z.number().int().nullable(),
  /** 2026-11-21: of tables of texts, the columns of all files. */
  columns: z.array(z.string()),
  /** 2026-11-22: ending of the files' names, in small letters and with the dot → number of files. */
  file_types: z.record(z.string(), z.number().int()),
  /** Entries that were left out, with the reason. */
  skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
});
export type DatasetVersion = z.infer<typeof DatasetVersion>;

export const Dataset = z.object({
  id: Id,
  project_id: Id,
  name: z.string(),
  /** 2026-11-21: recordings (WAV, FLAC) and texts beside images; found from the files. */
  kind: DatasetKind,
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
  summary: "Datasets of the projects that you are in.",
  query: ProjectQuery,
  response: z.object({ datasets: z.array(Dataset) }),
});
export const getDataset = defineEndpoint({
  domain: "datasets",
  name: "get-dataset",
  method: "GET",
  path: "/api/datasets/:dataset_id",
  access: "project-viewer",
  summary: "One dataset with its versions.",
  params: z.object({ dataset_id: IdText }),
  response: Dataset,
});
/** One row of a table, or one line of plain text. */
export const PreviewRow = z.object({
  /** In the dataset. */
  path: z.string(),
  /** Of the file, from 1. */
  row: z.number().int(),
  fields: z.record(z.string(), z.string()),
  /** Whether fields are left out, or their texts are longer than what is here. */
  is_cut: z.boolean(),
});
export type PreviewRow = z.infer<typeof PreviewRow>;
export const DatasetPreview = z.object({ rows: z.array(PreviewRow) });
export type DatasetPreview = z.infer<typeof DatasetPreview>;

export const previewDatasetVersion = defineEndpoint({
  domain: "datasets",
  name: "preview-dataset-version",
  method: "GET",
  path: "/api/datasets/versions/:version_id/preview",
  access: "project-viewer",
  summary: "The first rows of a version's texts.",
  params: z.object({ version_id: IdText }),
  query: z.object({ limit: limitText(20, 100) }),
  response: DatasetPreview,
});
/** The body is the zip itself, `application/zip`; or one file of texts, `application/octet-stream`, named by `file`. */
export const uploadDataset = defineEndpoint({
  domain: "datasets",
  name: "upload-dataset",
  method: "POST",
  path: "/api/datasets",
  access: "project-member",
  summary:
    "Upload a zip of images or recordings, one folder a class, or of texts, or one file of texts; becomes version 1.",
  query: z.object({
    name: Title,
    project_id: IdText.optional(),
    /** The name of one .txt, .md, .jsonl, .ndjson, .csv or .tsv file; left out for a zip. */
    file: z.string().min(1).max(255).optional(),
  }),
  response: Dataset,
  status: 201,
  stream: "upload",
});
