// HTTP of models: the list, one model, its versions, stages, downloads and predictions.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import {
  createModelVersion,
  deleteModelVersion,
  downloadModelVersion,
  findModelVersions,
  getModel,
  getModelVersion,
  listModelMetricNames,
  listModels,
  listModelVersions,
  predictWithModelVersion,
  registerModelVersion,
  restoreModelVersion,
  rollBackModel,
  updateModel,
  updateModelVersion,
} from "@spotter/contract";
import type { Caller, Router } from "../../platform/route.ts";
import type { RunService } from "../runs/index.ts";
import type { By } from "./audit-note.ts";
import { fileNotFound } from "./errors.ts";
import type { ModelService } from "./service.ts";
import type { ModelsStore } from "./store.ts";
import type { ModelRow, VersionRow } from "./tables.ts";
import { zipOf } from "./tools/zip-folder.ts";

export interface ModelRouteParts {
  readonly router: Router;
  readonly models: ModelService;
  readonly store: ModelsStore;
  readonly runs: Pick<RunService, "require">;
}

type ModelInPath = { readonly params: { readonly model_id: string } };
type VersionInPath = { readonly params: { readonly version_id: string } };

export function registerModelRoutes(parts: ModelRouteParts): void {
  bindModels(parts);
  bindVersions(parts);
  bindOneVersion(parts);
  bindContent(parts);
}

function bindModels({ router, models }: ModelRouteParts): void {
  const rowOf = ({ params }: ModelInPath): Promise<ModelRow> =>
    models.requireModel(Number(params.model_id));
  const projectOf = async (input: ModelInPath) => (await rowOf(input)).project_id;

  router.signedIn(listModels, async ({ query, caller }) => ({
    models: await models.models(query, caller),
  }));
  router.inProject(getModel, projectOf, async (input) => models.model(await rowOf(input)));
  router.inProject(updateModel, projectOf, async (input) => {
    return models.rename(await rowOf(input), input.body.name, byOf(input));
  });
  router.inProject(rollBackModel, projectOf, async (input) =>
    models.rollBack(await rowOf(input), input.body.reason ?? "", byOf(input)),
  );
}

function bindVersions({ router, models, runs }: ModelRouteParts): void {
  const modelOf = ({ params }: ModelInPath): Promise<ModelRow> =>
    models.requireModel(Number(params.model_id));

  router.inProject(
    listModelVersions,
    async (input) => (await modelOf(input)).project_id,
    ({ params, query, caller }) => models.versions(query, caller, Number(params.model_id)),
  );
  router.signedIn(findModelVersions, ({ query, caller }) =>
    models.versions(query, caller, undefined),
  );
  router.signedIn(listModelMetricNames, async ({ query, caller }) => ({
    names: await models.metricNames(caller, query.q, Number(query.limit)),
  }));
  router.inProject(
    registerModelVersion,
    async ({ body }) => (await runs.require(body.run_id)).project_id,
    (input) => models.register(input.body, byOf(input)),
  );
  router.inProject(
    createModelVersion,
    async (input) => (await modelOf(input)).project_id,
    async (input) => {
      const { body } = input;
      const model = await modelOf(input);
      // A run of another project counts as not there.
      await models.requireRunOf(model, body.run_id);
      return models.register({ ...body, name: model.name }, byOf(input));
    },
  );
}

function bindOneVersion({ router, models }: ModelRouteParts): void {
  const rowOf = ({ params }: VersionInPath): Promise<VersionRow> =>
    models.requireVersion(Number(params.version_id));
  const projectOf = async (input: VersionInPath) => (await rowOf(input)).project_id;

  router.inProject(getModelVersion, projectOf, async (input) => models.version(await rowOf(input)));
  router.inProject(updateModelVersion, projectOf, async (input) => {
    const row = await models.update(await rowOf(input), input.body, byOf(input));
    return models.version(row);
  });
  router.inProject(deleteModelVersion, projectOf, async (input) => {
    await models.delete(await rowOf(input), byOf(input));
    return { done: true as const };
  });
  router.inProject(restoreModelVersion, projectOf, async (input) =>
    models.version(await models.restore(await rowOf(input), byOf(input))),
  );
  router.inProject(predictWithModelVersion, projectOf, async (input) =>
    models.predict(await rowOf(input), input.body, input.caller),
  );
}

function bindContent({ router, models, store }: ModelRouteParts): void {
  const rowOf = ({ params }: VersionInPath): Promise<VersionRow> =>
    models.requireVersion(Number(params.version_id));

  router.inProject(
    downloadModelVersion,
    async (input) => (await rowOf(input)).project_id,
    async (input) => {
      const { query, reply } = input;
      const row = await rowOf(input);
      const folder = await models.folderOf(row);
      const files = await store.files(row.id);
      const attach = (name: string) =>
        reply.header(
          "content-disposition",
          `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
        );
      if (query.path === undefined) {
        attach(`${row.name}-v${row.version}.zip`);
        const zipped = files.map(({ path: name }) => ({ name, file: path.join(folder, name) }));
        return reply.header("content-type", "application/zip").send(zipOf(zipped));
      }
      // Only what was registered: the path is looked up, never joined as it came.
      const wanted = files.find(({ path: name }) => name === query.path);
      if (wanted === undefined) throw fileNotFound();
      const file = path.join(folder, wanted.path);
      attach(path.posix.basename(wanted.path));
      return reply
        .header("content-type", "application/octet-stream")
        .header("content-length", (await stat(file)).size)
        .send(createReadStream(file));
    },
  );
}

function byOf({ caller, request }: { caller: Caller; request: { ip: string } }): By {
  return { caller, address: request.ip };
}
