// Forks: runs that begin in another run's checkpoint. What is asked for, what would come of it, and the family.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { ForkKept } from "./job-spec.ts";
import { JobState } from "./queue.ts";
import { RecipeName } from "./recipes/recipes.ts";
import { ForkChange, Run, RunFork, RunParams, RunSource } from "./runs.ts";
import { Id, JsonObject, MetricName, MetricValue, Tag, Title, UnixTime } from "./scalars.ts";
import { Priority, ResourceWish, RunLimits } from "./scheduling.ts";

/** More seeds than that tell little more, and fill the queue. */
export const MAX_FORKS = 20;

/** A checkpoint's step, or the run's best or newest one. */
export const WantedCheckpoint = z.union([z.number().int().positive(), z.enum(["best", "last"])]);

export const ForkRequest = z
  .object({
    checkpoint: WantedCheckpoint.default("last"),
    /** What is not named is kept where the changes allow it; `true` insists. Weights are always kept. */
    keep: ForkKept.partial().default({}),
    /** Fields of the config with their new values. */
    changes: JsonObject.default({}),
    /** How many forks, each with a seed of its own; several do not keep the random generators' states. */
    seeds: z.number().int().min(1).max(MAX_FORKS).default(1),
    name: Title.optional(),
    tags: z.array(Tag).max(20).default([]),
    note: z.string().max(10_000).default(""),
    /** 2026-11-21: of each fork, as of any new training; nothing of this is taken over from the parent. */
    priority: Priority.default(0),
    resources: ResourceWish.default({}),
    limits: RunLimits.default({}),
    /** Made by the client; a repeat with the same id returns the forks that were made first. */
    client_id: z.string().min(8).max(90).optional(),
  })
  .strict();

export const ForkWarningCode = z.enum([
  /** The fork itself is refused with `fork-without-steps`. */
  "no-steps-left",
  "repeats-parent",
  "several-seeds",
  "schedule-decayed",
  "schedule-restarts",
  "optimizer-remembers",
  "optimizer-begins-anew",
  "optimizer-changes",
  "rng-lost",
  "data-position-lost",
  "data-changes",
  "split-changes",
  "little-disk",
]);
/** Something to know before the fork is started, in both languages. */
export const ForkWarning = z.object({
  code: ForkWarningCode,
  severity: z.enum(["info", "warning"]),
  message: z.string(),
  message_zh: z.string(),
});
export type ForkWarning = z.infer<typeof ForkWarning>;

/** What would come of a request. */
export const ForkPlan = z.object({
  run_id: Id,
  checkpoint: z.object({
    step: z.number().int(),
    epoch: z.number().int().nullable(),
    path: z.string(),
    size: z.number().int(),
    label: z.string().nullable(),
  }),
  /** Steps of all checkpoints that can be forked, rising. */
  steps: z.array(z.number().int()),
  keep: ForkKept,
  changes: z.array(ForkChange),
  /** One fork each. */
  seeds: z.array(z.number().int()),
  /** Where the fork ends; null where that is known only once its data is read. */
  total_steps: z.number().int().nullable(),
  /** Of the fork's first step, and what the schedule counts as its peak; null where it depends on the data. */
  learning_rate: z.object({ next: z.number(), peak: z.number() }).nullable(),
  warnings: z.array(ForkWarning),
});
export type ForkPlan = z.infer<typeof ForkPlan>;

export const ForkAnswer = z.object({ plan: ForkPlan, runs: z.array(Run) });
export type ForkAnswer = z.infer<typeof ForkAnswer>;

/** One run of a family. */
export const LineageNode = z.object({
  id: Id,
  name: z.string(),
  source: RunSource,
  recipe: RecipeName.nullable(),
  state: JobState,
  owner_name: z.string().nullable(),
  created_at: UnixTime,
  started_at: UnixTime.nullable(),
  deleted_at: UnixTime.nullable(),
  last_step: z.number().int().nullable(),
  best: z.object({ metric: MetricName, value: MetricValue, step: z.number().int() }).nullable(),
  /** Null for the run that the family begins with; its parent may be gone by now. */
  fork: RunFork.nullable(),
});
export type LineageNode = z.infer<typeof LineageNode>;

/** All that descend from the oldest ancestor that is still there; parents come before their forks. */
export const Lineage = z.object({
  run_id: Id,
  runs: z.array(LineageNode),
  /** More than can be shown: the farthest relatives were left out. */
  truncated: z.boolean(),
});
export type Lineage = z.infer<typeof Lineage>;

/** What one kind of schedule gives: golden numbers that both languages compute. */
export const LearningRates = z.object({
  cases: z.array(
    z.object({
      config: JsonObject,
      steps_per_epoch: z.number().int(),
      total_steps: z.number().int(),
      drops: z.number().int(),
      /** Step from 1, and its rate. */
      rates: z.array(z.tuple([z.number().int(), z.number()])),
    }),
  ),
});

export const previewForks = defineEndpoint({
  domain: "runs",
  name: "preview-forks",
  method: "POST",
  path: "/api/runs/:run_id/forks/preview",
  access: "project-member",
  summary: "What a fork would keep and change, with warnings; nothing is started.",
  params: RunParams,
  body: ForkRequest,
  response: ForkPlan,
});
export const createForks = defineEndpoint({
  domain: "runs",
  name: "create-forks",
  method: "POST",
  path: "/api/runs/:run_id/forks",
  access: "project-member",
  summary: "Queue runs that begin in a checkpoint of this one, one for each seed.",
  params: RunParams,
  body: ForkRequest,
  response: ForkAnswer,
  status: 201,
});
export const getLineage = defineEndpoint({
  domain: "runs",
  name: "get-lineage",
  method: "GET",
  path: "/api/runs/:run_id/lineage",
  access: "project-viewer",
  summary: "The run's family: ancestors, their forks, and where each began.",
  params: RunParams,
  response: Lineage,
});
