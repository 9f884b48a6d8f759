// HTTP of datasets.
import { Readable } from "node:stream";
import { getDataset, listDatasets, previewDatasetVersion, uploadDataset } from "@spotter/contract";
import { SpotterError } from "../../platform/errors.ts";
import type { Router } from "../../platform/route.ts";
import type { DatasetService } from "./service.ts";

export function registerDatasetRoutes(
  router: Router,
  datasets: DatasetService,
  defaultProject: () => Promise<number>,
): void {
  const projectOf = async (projectId: string | undefined) =>
    projectId === undefined ? defaultProject() : Number(projectId);

  router.signedIn(listDatasets, async ({ query, caller }) => ({
    datasets: await datasets.list(
      caller,
      query.project_id === undefined ? undefined : Number(query.project_id),
    ),
  }));
  router.inProject(
    getDataset,
    async ({ params }) => (await datasets.require(Number(params.dataset_id))).project_id,
    ({ params }) => datasets.dataset(Number(params.dataset_id)),
  );
  router.inProject(
    previewDatasetVersion,
    async ({ params }) => (await datasets.requireVersion(Number(params.version_id))).project_id,
    ({ params, query }) => datasets.preview(Number(params.version_id), Number(query.limit)),
  );
  router.inProject(
    uploadDataset,
    ({ query }) => projectOf(query.project_id),
    async ({ query, caller, request }) => {
      const type = request.headers["content-type"]?.split(";")[0]?.trim();
      const wanted = query.file === undefined ? "application/zip" : "application/octet-stream";
      if (type !== wanted || !(request.body instanceof Readable))
        throw new SpotterError(
          "unsupported-media-type",
          "Send a zip as application/zip, or one file of texts as application/octet-stream with its name in `file`.",
        );
      const announced = request.headers["content-length"];
      return datasets.upload(
        request.body,
        {
          name: query.name,
          file: query.file ?? null,
          projectId: await projectOf(query.project_id),
          announcedBytes: announced === undefined ? null : Number(announced),
        },
        caller,
        request.ip,
      );
    },
  );
}
