// Models and their versions: find, stage, roll back, and let them predict.
import {
  deleteModelVersion,
  findModelVersions,
  getModel,
  getModelVersion,
  type ListModelVersionsQuery,
  listModels,
  listModelVersions,
  type Model,
  type ModelDetail,
  type ModelVersionDetail,
  type ModelVersionPage,
  type PredictAnswer,
  type PredictRequest,
  predictWithModelVersion,
  restoreModelVersion,
  rollBackModel,
  type UpdateModelVersion,
  updateModelVersion,
} from "@spotter/contract";
import type { z } from "zod";
import type { HttpClient } from "./http.ts";

/** The models that the person may see, newest first. */
export async function fetchModels(client: HttpClient, q?: string): Promise<Model[]> {
  return (await client.call(listModels, { query: q === undefined ? {} : { q } })).models;
}

/** One model with its history of stages. */
export function fetchModel(client: HttpClient, modelId: number): Promise<ModelDetail> {
  return client.call(getModel, { params: { model_id: modelId } });
}

/**
 * Versions of all models that fit.
 * @example await fetchModelVersions(client, { metric: "test/accuracy", min: "0.98", sort: "metric:test/accuracy" });
 */
export function fetchModelVersions(
  client: HttpClient,
  query: z.input<typeof ListModelVersionsQuery> = {},
): Promise<ModelVersionPage> {
  return client.call(findModelVersions, { query });
}

/** Versions of one model that fit. */
export function fetchVersionsOf(
  client: HttpClient,
  modelId: number,
  query: Omit<z.input<typeof ListModelVersionsQuery>, "project_id"> = {},
): Promise<ModelVersionPage> {
  return client.call(listModelVersions, { params: { model_id: modelId }, query });
}

/** One version, whole. */
export function fetchModelVersion(
  client: HttpClient,
  versionId: number,
): Promise<ModelVersionDetail> {
  return client.call(getModelVersion, { params: { version_id: versionId } });
}

/** Changes a version's note, tags or stage. */
export function changeModelVersion(
  client: HttpClient,
  versionId: number,
  change: z.input<typeof UpdateModelVersion>,
): Promise<ModelVersionDetail> {
  return client.call(updateModelVersion, { params: { version_id: versionId }, body: change });
}

/** Deletes a version that is not in production; it can be restored for seven days. */
export async function removeModelVersion(client: HttpClient, versionId: number): Promise<void> {
  await client.call(deleteModelVersion, { params: { version_id: versionId } });
}

/** Brings back a deleted version. */
export function bringBackModelVersion(
  client: HttpClient,
  versionId: number,
): Promise<ModelVersionDetail> {
  return client.call(restoreModelVersion, { params: { version_id: versionId } });
}

/** Brings back the version that was in production before. */
export function rollBack(
  client: HttpClient,
  modelId: number,
  reason?: string,
): Promise<ModelDetail> {
  const body = reason === undefined ? {} : { reason };
  return client.call(rollBackModel, { params: { model_id: modelId }, body });
}

/** Answers inputs with a version's weights. */
export function predictWithVersion(
  client: HttpClient,
  versionId: number,
  request: z.input<typeof PredictRequest>,
): Promise<PredictAnswer> {
  return client.call(predictWithModelVersion, { params: { version_id: versionId }, body: request });
}
