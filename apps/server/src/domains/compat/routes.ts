// HTTP of followed TensorBoard folders.
import {
  followTensorboardFolder,
  listTensorboardFolders,
  unfollowTensorboardFolder,
} from "@spotter/contract";
import type { Router } from "../../platform/route.ts";
import type { CompatService } from "./service.ts";

export interface CompatRouteParts {
  readonly compat: CompatService;
  /** Throws `project-not-found`. */
  readonly requireProject: (id: number) => Promise<void>;
  readonly defaultProject: () => Promise<number>;
}

export function registerCompatRoutes(router: Router, parts: CompatRouteParts): void {
  const { compat, requireProject, defaultProject } = parts;

  router.signedIn(listTensorboardFolders, async ({ caller }) => ({
    folders: await compat.list(caller),
  }));
  router.inProject(
    followTensorboardFolder,
    async ({ body }) => {
      if (body.project_id === undefined) return defaultProject();
      await requireProject(body.project_id);
      return body.project_id;
    },
    async ({ body, caller, request }) => {
      const projectId = body.project_id ?? (await defaultProject());
      return compat.add({ path: body.path, projectId }, caller, request.ip);
    },
  );
  router.inProject(
    unfollowTensorboardFolder,
    async ({ params }) => (await compat.require(Number(params.folder_id))).project_id,
    async ({ params, caller, request }) => {
      await compat.remove(await compat.require(Number(params.folder_id)), caller, request.ip);
      return { done: true as const };
    },
  );
}
