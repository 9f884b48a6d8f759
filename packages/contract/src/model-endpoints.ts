// Models and their versions as addresses: register, find, change, bring back, download and ask them.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import {
  ListModelVersionsQuery,
  Model,
  ModelDetail,
  ModelParams,
  ModelVersion,
  ModelVersionDetail,
  ModelVersionPage,
  ModelVersionParams,
  RegisterModelVersion,
  RollBackModel,
  UpdateModelVersion,
} from "./models.ts";
import { PredictAnswer, PredictRequest } from "./runs.ts";
import { Done, IdText, limitText } from "./scalars.ts";

export const listModels = defineEndpoint({
  domain: "models",
  name: "list-models",
  method: "GET",
  path: "/api/models",
  access: "signed-in",
  summary:
    "Models of the projects that you are in, each with its newest and its production version.",
  query: z.object({ project_id: IdText.optional(), q: z.string().max(200).optional() }),
  response: z.object({ models: z.array(Model) }),
});
export const getModel = defineEndpoint({
  domain: "models",
  name: "get-model",
  method: "GET",
  path: "/api/models/:model_id",
  access: "project-viewer",
  summary: "One model with its history of stages.",
  params: ModelParams,
  response: ModelDetail,
});
export const updateModel = defineEndpoint({
  domain: "models",
  name: "update-model",
  method: "PATCH",
  path: "/api/models/:model_id",
  access: "project-member",
  summary: "Rename a model.",
  params: ModelParams,
  body: RegisterModelVersion.pick({ name: true }).required(),
  response: ModelDetail,
});

export const listModelVersions = defineEndpoint({
  domain: "models",
  name: "list-model-versions",
  method: "GET",
  path: "/api/models/:model_id/versions",
  access: "project-viewer",
  summary: "Versions of a model, by metric, tag, stage and text.",
  params: ModelParams,
  query: ListModelVersionsQuery.omit({ project_id: true }),
  response: ModelVersionPage,
});
export const createModelVersion = defineEndpoint({
  domain: "models",
  name: "create-model-version",
  method: "POST",
  path: "/api/models/:model_id/versions",
  access: "project-member",
  summary: "Register the saved weights of a run that has ended as the model's next version.",
  params: ModelParams,
  body: RegisterModelVersion.omit({ name: true }),
  response: ModelVersion,
  status: 201,
});
export const rollBackModel = defineEndpoint({
  domain: "models",
  name: "roll-back-model",
  method: "POST",
  path: "/api/models/:model_id/rollback",
  access: "project-member",
  summary: "Bring back the version that was in production before.",
  params: ModelParams,
  body: RollBackModel,
  response: ModelDetail,
});

/** Metric names that queries and sorting can use. */
export const listModelMetricNames = defineEndpoint({
  domain: "models",
  name: "list-model-metric-names",
  method: "GET",
  path: "/api/models/metric-names",
  access: "signed-in",
  summary: "Metric names that model versions have.",
  query: z.object({ q: z.string().max(200).optional(), limit: limitText(50, 500) }),
  response: z.object({ names: z.array(z.string()) }),
});
export const findModelVersions = defineEndpoint({
  domain: "models",
  name: "find-model-versions",
  method: "GET",
  path: "/api/models/versions",
  access: "signed-in",
  summary: "Versions of all models that you may see, by metric, tag, stage, run and text.",
  query: ListModelVersionsQuery,
  response: ModelVersionPage,
});
export const registerModelVersion = defineEndpoint({
  domain: "models",
  name: "register-model-version",
  method: "POST",
  path: "/api/models/versions",
  access: "project-member",
  summary: "Register the saved weights of a run that has ended, in a model of the given name.",
  body: RegisterModelVersion,
  response: ModelVersion,
  status: 201,
});
export const getModelVersion = defineEndpoint({
  domain: "models",
  name: "get-model-version",
  method: "GET",
  path: "/api/models/versions/:version_id",
  access: "project-viewer",
  summary: "One version, whole: origin, metrics, files, and what was trained from it.",
  params: ModelVersionParams,
  response: ModelVersionDetail,
});
export const updateModelVersion = defineEndpoint({
  domain: "models",
  name: "update-model-version",
  method: "PATCH",
  path: "/api/models/versions/:version_id",
  access: "project-member",
  summary: "Note, tag or stage a version; into production, the former one is archived.",
  params: ModelVersionParams,
  body: UpdateModelVersion,
  response: ModelVersionDetail,
});
export const deleteModelVersion = defineEndpoint({
  domain: "models",
  name: "delete-model-version",
  method: "DELETE",
  path: "/api/models/versions/:version_id",
  access: "project-member",
  summary: "Delete a version that is not in production; it can be restored for 7 days.",
  params: ModelVersionParams,
  response: Done,
});
export const restoreModelVersion = defineEndpoint({
  domain: "models",
  name: "restore-model-version",
  method: "POST",
  path: "/api/models/versions/:version_id/restore",
  access: "project-member",
  summary: "Bring back a deleted version.",
  params: ModelVersionParams,
  response: ModelVersionDetail,
});
export const downloadModelVersion = defineEndpoint({
  domain: "models",
  name: "download-model-version",
  method: "GET",
  path: "/api/models/versions/:version_id/content",
  access: "project-viewer",
  summary: "The version's folder as a zip, or with `path` one file of it.",
  params: ModelVersionParams,
  query: z.object({ path: z.string().min(1).max(500).optional() }),
  stream: "file",
});
export const predictWithModelVersion = defineEndpoint({
  domain: "models",
  name: "predict-with-model-version",
  // Sixteen files of 4 MB, and what base64 adds.
  maxBodyBytes: 96 * 1024 * 1024,
  method: "POST",
  path: "/api/models/versions/:version_id/predict",
  access: "project-member",
  summary:
    "Load a version's weights, answer inputs with them, and note the latency on the version.",
  params: ModelVersionParams,
  body: PredictRequest,
  response: PredictAnswer,
});
