// Values of a training that people may change while it runs: their names, and what a change looks like.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { JobState } from "./queue.ts";
import { RunCommand, RunParams } from "./runs.ts";
import { Id, UnixTime } from "./scalars.ts";
import { LiveValue } from "./worker-events.ts";

/** The config's own names, in the order in which they are shown. The worker has the same list. */
export const LIVE_NAMES = [
  "learning_rate",
  "weight_decay",
  "momentum",
  "beta1",
  "beta2",
  "gradient_clip",
  "dropout",
  "label_smoothing",
  "batch_size",
  "epochs",
  "max_steps",
  "eval_every_steps",
] as const;
export const LiveName = z.enum(LIVE_NAMES);
export type LiveName = z.infer<typeof LiveName>;

/** One value of a run: what it is now, and what it may become. Bounds are the recipe's own. */
export const RunValue = z.object({
  name: LiveName,
  title: z.string(),
  title_zh: z.string(),
  description: z.string(),
  description_zh: z.string(),
  unit: z.string().nullable(),
  kind: z.enum(["number", "integer"]),
  /** In force now, and what the run was started with. */
  value: LiveValue,
  started_with: LiveValue,
  /** Whether it may be empty, which switches it off or leaves it to the recipe. */
  nullable: z.boolean(),
  /** The value may be `minimum` itself but must lie above `above`; null: no such bound. */
  minimum: z.number().nullable(),
  above: z.number().nullable(),
  maximum: z.number().nullable(),
  below: z.number().nullable(),
});
export type RunValue = z.infer<typeof RunValue>;

/**
 * What became of a `set`.
 * - `pending`: sent; the worker takes it up at its next step.
 * - `in-force`, `reverted`, `refused` (the command's message says why).
 * - `expired`: the attempt ended before it was taken up.
 */
export const ChangeStanding = z.enum(["pending", "in-force", "reverted", "refused", "expired"]);
export type ChangeStanding = z.infer<typeof ChangeStanding>;

export const RunChange = z.object({
  command: RunCommand,
  standing: ChangeStanding,
  /** Who took it back; null where nobody did. */
  reverted: z
    .object({ by_name: z.string().nullable(), at: UnixTime, reason: z.string().nullable() })
    .nullable(),
  /** Whether one click restores the checkpoint of before it. */
  can_revert: z.boolean(),
});
export type RunChange = z.infer<typeof RunChange>;

export const RunValues = z.object({
  run_id: Id,
  state: JobState,
  /** Why nothing can be changed now, in one sentence; null where it can. */
  obstacle: z.string().nullable(),
  /** Those that this run has: an optimiser without momentum shows none. */
  values: z.array(RunValue),
  /** Newest first. */
  changes: z.array(RunChange),
});
export type RunValues = z.infer<typeof RunValues>;

export const getRunValues = defineEndpoint({
  domain: "runs",
  name: "get-run-values",
  method: "GET",
  path: "/api/runs/:run_id/values",
  access: "project-viewer",
  summary:
    "Values that may be changed while the run trains, with their bounds, and all changes so far.",
  params: RunParams,
  response: RunValues,
});
