// What a worker is told to do: the spec of one attempt.
import { z } from "zod";
import { Id, JsonObject } from "./scalars.ts";
import { PROTOCOL } from "./worker-events.ts";

/** One thing to predict from: a file (absolute path), a text, both, or a sample of the run's own test split, from 0. */
export const PredictInput = z
  .object({
    name: z.string(),
    file: z.string().nullable(),
    text: z.string().nullable(),
    sample: z.number().int().min(0).nullable(),
  })
  .strict();
export type PredictInput = z.infer<typeof PredictInput>;

/** 2026-11-21: what of a checkpoint a fork keeps beside the weights, which are always kept. */
export const ForkKept = z
  .object({
    optimizer: z.boolean(),
    scheduler: z.boolean(),
    rng: z.boolean(),
    data_position: z.boolean(),
  })
  .strict();
export type ForkKept = z.infer<typeof ForkKept>;

/** What a worker must know of the run that it forks; the checkpoint's folder is the place `fork_checkpoint`. */
export const ForkSpec = z
  .object({
    parent_id: Id,
    step: z.number().int().positive(),
    keep: ForkKept,
    /** By field of the config: the parent's value, and the fork's. */
    changed: z.record(z.string(), z.object({ before: z.json(), after: z.json() })),
    /** The parent's classes in the order of its outputs; empty where it has none. */
    classes: z.array(z.string()),
  })
  .strict();
export type ForkSpec = z.infer<typeof ForkSpec>;

/** What a worker is told to do. */
export const JobSpec = z.object({
  protocol: z.literal(PROTOCOL),
  job_id: Id,
  attempt: z.number().int().positive(),
  kind: z.enum(["train", "predict", "preflight"]),
  name: z.string(),
  recipe: z.string(),
  config: JsonObject,
  /**
   * Folder or file on this machine of every data and model source in the config that names one (`{path}`,
   * `{dataset_version}`, `{model_version}`), by the config's field: `data`, `init_from`, … Builtin and Hub sources have
   * none.
   */
  places: z.record(z.string(), z.string()),
  /** Checkpoint folder, relative to the run folder, to go on from; null to begin. */
  resume_from: z.string().nullable(),
  /** For `predict`: the weights folder (absolute), and what to predict from. */
  predict: z.object({ weights: z.string(), inputs: z.array(PredictInput).max(64) }).nullable(),
  /**
   * For `preflight` (since 2026-11): seconds that its checks may take together, and whether it tries learning rates and
   * one batch (absent: it does).
   */
  preflight: z
    .object({ budget_s: z.number(), trials: z.boolean().optional() })
    .nullable()
    .default(null),
  /** For a run that begins in another run's checkpoint (since 2026-11); counts where `resume_from` is null. */
  fork: ForkSpec.nullable().default(null),
  /** Cores that the worker may use. */
  num_threads: z.number().int().positive(),
  /** Since 2026-11: indexes of the GPUs that it gets, as nvidia-smi counts them; absent: those that it finds. */
  gpus: z.array(z.number().int().min(0)).optional(),
  /** Since 2026-11: the supervisor stops the attempt after so long, and ends it above so much memory. */
  limits: z.object({ time_s: z.number().nullable(), memory_gib: z.number().nullable() }).optional(),
  /** 2026-11-21: changes of earlier attempts (their commands) that people took back; absent where there are none. */
  reverted_changes: z.array(Id).optional(),
});
export type JobSpec = z.infer<typeof JobSpec>;
