// HTTP of data sets.
import { Readable } from "node:stream";
import { getDataset, listDatasets, uploadDataset } from "@spotter/contract";
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
    uploadDataset,
    ({ query }) => projectOf(query.project_id),
    async ({ query, caller, request }) => {
      const isZip = request.headers["content-type"]?.split(";")[0]?.trim() === "application/zip";
      if (!isZip || !(request.body instanceof Readable))
        throw new SpotterError(
          "unsupported-media-type",
          "Send the zip itself, as application/zip.",
        );
      const announced = request.headers["content-length"];
      return datasets.upload(
        request.body,
        {
          name: query.name,
          projectId: await projectOf(query.project_id),
          announcedBytes: announced === undefined ? null : Number(announced),
        },
        caller,
        request.ip,
      );
    },
  );
}
