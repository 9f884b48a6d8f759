// Doors for others' tools: TensorBoard folders that the server follows.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { Done, Id, IdText, UnixTime } from "./scalars.ts";

export const TensorboardFolder = z.object({
  id: Id,
  project_id: Id,
  path: z.string(),
  created_at: UnixTime,
  created_by: Id.nullable(),
  state: z.enum(["following", "missing", "failed"]),
  message: z.string().nullable(),
  /** Folder relative to the logdir → the run that it became. */
  runs: z.array(z.object({ folder: z.string(), run_id: Id })),
  /** Kinds that are recognised and not stored yet, with how many were met: `histogram`, `image`, … */
  skipped: z.record(z.string(), z.number().int()),
});
export type TensorboardFolder = z.infer<typeof TensorboardFolder>;

/** In the config of a run that a command line streams: which folder on which machine, so that nobody follows it twice. */
export const TensorboardOrigin = z.object({
  tensorboard: z.object({ host: z.string(), logdir: z.string(), folder: z.string() }),
});

const FolderParams = z.object({ folder_id: IdText });
export const listTensorboardFolders = defineEndpoint({
  domain: "compat",
  name: "list-tensorboard-folders",
  method: "GET",
  path: "/api/compat/tensorboard",
  access: "signed-in",
  summary: "TensorBoard folders that the server follows.",
  response: z.object({ folders: z.array(TensorboardFolder) }),
});
export const followTensorboardFolder = defineEndpoint({
  domain: "compat",
  name: "follow-tensorboard-folder",
  method: "POST",
  path: "/api/compat/tensorboard",
  access: "project-member",
  summary: "Follow a TensorBoard folder on the server, inside SPOTTER_DATA_ROOTS.",
  body: z.object({ path: z.string().min(1).max(4096), project_id: Id.optional() }).strict(),
  response: TensorboardFolder,
  status: 201,
});
export const unfollowTensorboardFolder = defineEndpoint({
  domain: "compat",
  name: "unfollow-tensorboard-folder",
  method: "DELETE",
  path: "/api/compat/tensorboard/:folder_id",
  access: "project-member",
  summary: "Stop following; the runs stay.",
  params: FolderParams,
  response: Done,
});
