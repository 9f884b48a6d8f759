// Datasets: list, look at, and upload.
import {
  Dataset,
  type DatasetPreview,
  getDataset,
  listDatasets,
  previewDatasetVersion,
  uploadDataset,
} from "@spotter/contract";
import type { HttpClient } from "./http.ts";

/** The datasets that the person may see, newest first. */
export async function fetchDatasets(client: HttpClient, projectId?: number): Promise<Dataset[]> {
  const query = projectId === undefined ? {} : { project_id: String(projectId) };
  return (await client.call(listDatasets, { query })).datasets;
}

/** One dataset with its versions. */
export function fetchDataset(client: HttpClient, datasetId: number): Promise<Dataset> {
  return client.call(getDataset, { params: { dataset_id: datasetId } });
}

/** The first rows of a version's texts; of images and recordings there are none. */
export function fetchDatasetPreview(
  client: HttpClient,
  versionId: number,
  limit: number,
): Promise<DatasetPreview> {
  const query = { limit: String(limit) };
  return client.call(previewDatasetVersion, { params: { version_id: versionId }, query });
}

export interface UploadWish {
  readonly name: string;
  readonly projectId?: number | undefined;
  /** The file's own name where it is one file of texts; left out for a zip. */
  readonly file?: string | undefined;
}

/**
 * Sends a zip, or one file of texts; becomes a dataset's first version.
 * @example await sendDataset(client, stream, { name: "Reviews", file: "reviews.csv" });
 */
export async function sendDataset(
  client: HttpClient,
  body: ReadableStream<Uint8Array>,
  { name, projectId, file }: UploadWish,
): Promise<Dataset> {
  const query = { name, project_id: projectId, file };
  const contentType = file === undefined ? "application/zip" : "application/octet-stream";
  const response = await client.request(uploadDataset, { query }, { body, contentType });
  return Dataset.parse(await response.json());
}
