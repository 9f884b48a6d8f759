// Pre-flight: a look at a training before it costs anything. A light job builds the recipe's task and reports what it
// saw; the report grows while the job works, so that a page can show each part as soon as it is known.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { JobState } from "./queue.ts";
import { RecipeName } from "./recipes/recipes.ts";
import { Done, Id, IdText, JsonObject, MetricValue } from "./scalars.ts";

export const DEFAULT_PREFLIGHT_BUDGET_S = 20;
export const MAX_PREFLIGHT_WAIT_S = 60;

/** The parts of a pre-flight, in the order in which they are done. */
export const PreflightCheck = z.enum([
  "build",
  "samples",
  "data",
  "initial-loss",
  "memory",
  "time",
  "learning-rate",
  "overfit",
]);
export type PreflightCheck = z.infer<typeof PreflightCheck>;

/** ok: as it should be. warning: look at it before you start. problem: this training would fail or learn nothing. */
export const Severity = z.enum(["ok", "warning", "problem"]);
export type Severity = z.infer<typeof Severity>;

/** One line of the verdict, with its numbers. */
export const PreflightFinding = z
  .object({
    /** `duplicates-across-parts`, `memory-too-small`, …: docs/guides/preflight.md has all of them. */
    code: z.string(),
    severity: Severity,
    message: z.string(),
    message_zh: z.string(),
    /** The config's field that would change it, where one would. */
    field: z.string().nullable(),
  })
  .strict();
export type PreflightFinding = z.infer<typeof PreflightFinding>;

const ImageSample = z
  .object({
    kind: z.literal("image"),
    label: z.string().nullable(),
    /** As the network gets it, random changes and all, but with its colours; base64. */
    png: z.string(),
    width: z.number().int(),
    height: z.number().int(),
    /** Where questions are asked about images. */
    questions: z.array(z.object({ question: z.string(), answer: z.string() }).strict()),
  })
  .strict();

const SoundSample = z
  .object({
    kind: z.literal("sound"),
    label: z.string().nullable(),
    seconds: z.number(),
    sample_rate: z.number().int(),
    /** Loudest of each short stretch, 0–1. */
    envelope: z.array(z.number()),
    /** Log-mel spectrum, one row a moment, one value a band (lowest first), scaled to 0–1. */
    spectrogram: z.array(z.array(z.number())),
  })
  .strict();

const TextSample = z
  .object({
    kind: z.literal("text"),
    label: z.string().nullable(),
    /** 2026-11-22: file and row that it stands in, `pairs.jsonl:12`; null where a sample is a stretch of many. */
    source: z.string().nullable().optional(),
    tokens: z.array(z.string()),
    /** True where the token counts in the loss. */
    counted: z.array(z.boolean()),
    /** Tokens beyond those shown. */
    num_more: z.number().int(),
  })
  .strict();

export const PreflightSample = z.discriminatedUnion("kind", [ImageSample, SoundSample, TextSample]);
export type PreflightSample = z.infer<typeof PreflightSample>;

/** One part of the data. */
export const PreflightPart = z
  .object({
    name: z.enum(["train", "validation", "test"]),
    /** What the recipe counts: images, recordings, texts; tokens of a language model. */
    count: z.number().int(),
    /** Examples that were looked at, and how many of these an earlier example equals exactly. */
    num_examined: z.number().int(),
    num_duplicates: z.number().int(),
    /** Of those examined: equal to an example of the training part. */
    num_in_train: z.number().int(),
    /** Examples of each class, in the order of the classes; empty where there are none. */
    classes: z.array(z.number().int()),
  })
  .strict();

/** An example that stands out, by its length. */
const Extreme = z.object({ name: z.string(), length: z.number() }).strict();

export const PreflightData = z
  .object({
    classes: z.array(z.string()),
    parts: z.array(PreflightPart),
    /** Largest class ÷ smallest, in the training part; null where there are no classes, or one is empty. */
    imbalance: z.number().nullable(),
    /** What lengths are in: `s`, `tokens`; null where all are equal. */
    length_unit: z.enum(["s", "tokens"]).nullable(),
    median_length: z.number().nullable(),
    shortest: z.array(Extreme),
    longest: z.array(Extreme),
    /** Mean, spread and largest size of what enters the network; null where that is no numbers. */
    inputs: z.object({ mean: z.number(), std: z.number(), largest: z.number() }).nullable(),
    /** Files that cannot be read, with the reason. */
    broken: z.array(z.object({ file: z.string(), message: z.string() }).strict()),
    /** True when the time ran out before all examples were looked at. */
    is_cut_short: z.boolean(),
  })
  .strict();

export const MemoryPartName = z.enum([
  "weights",
  "gradients",
  "optimizer",
  "activations",
  "average",
  "best",
  "batch",
  "process",
]);
export type MemoryPartName = z.infer<typeof MemoryPartName>;

export const PreflightMemory = z
  .object({
    /** Where the training would live: `cpu`, `cuda`, `mps`. */
    device: z.string(),
    /** Bytes of one process. `best` is the copy of the best weights, `process` libraries and decoded data. */
    parts: z.array(z.object({ name: MemoryPartName, bytes: z.number().int() }).strict()),
    processes: z.number().int(),
    /** Of all processes on this device. */
    total_bytes: z.number().int(),
    /** What a training could have now; null where the system does not say. */
    available_bytes: z.number().int().nullable(),
  })
  .strict();

export const PreflightInitialLoss = z
  .object({
    measured: MetricValue,
    /** ln of the number of classes or tokens; null where nothing is expected. */
    expected: z.number().nullable(),
    /** `ln 10`. */
    formula: z.string().nullable(),
    /** Weights that learnt before may begin below. */
    is_pretrained: z.boolean(),
  })
  .strict();

/** A loss over steps or learning rates; equal lengths. */
export const PreflightOverfit = z
  .object({
    learning_rate: z.number(),
    steps: z.array(z.number().int()),
    loss: z.array(MetricValue),
    /** Whether the loss on the one batch came down to a tenth. */
    reached: z.boolean(),
    is_cut_short: z.boolean(),
  })
  .strict();

export const PreflightLearningRate = z
  .object({
    learning_rates: z.array(z.number()),
    loss: z.array(MetricValue),
    smoothed: z.array(MetricValue),
    /** Null where the loss did not fall, or the test was too short to tell. */
    suggested: z.number().nullable(),
    steepest: z.number().nullable(),
    /** From here on the loss ran away; null where it never did. */
    diverged_at: z.number().nullable(),
    is_cut_short: z.boolean(),
  })
  .strict();

export const PreflightTime = z
  .object({
    step_s: z.number(),
    evaluation_s: z.number(),
    total_steps: z.number().int(),
    steps_per_epoch: z.number().int(),
    num_evaluations: z.number().int(),
    total_s: z.number(),
  })
  .strict();

export const PreflightReport = z
  .object({
    recipe: RecipeName,
    device: z.string().nullable(),
    model: z.object({ name: z.string(), parameters: z.number().int() }).strict().nullable(),
    /** Values that were not given but found, each with its reason. */
    derived: z.record(z.string(), z.string()),
    /** The part that is being done; null once all are. */
    now: PreflightCheck.nullable(),
    done: z.array(PreflightCheck),
    budget_s: z.number(),
    elapsed_s: z.number(),
    /** The worst of the findings. */
    verdict: Severity,
    /** Worst first. */
    findings: z.array(PreflightFinding),
    samples: z.array(PreflightSample),
    data: PreflightData.nullable(),
    initial_loss: PreflightInitialLoss.nullable(),
    memory: PreflightMemory.nullable(),
    time: PreflightTime.nullable(),
    learning_rate: PreflightLearningRate.nullable(),
    overfit: PreflightOverfit.nullable(),
  })
  .strict();
export type PreflightReport = z.infer<typeof PreflightReport>;

export const PreflightRequest = z
  .object({
    recipe: RecipeName,
    config: JsonObject.default({}),
    project_id: Id.optional(),
    /** Seconds for all checks together, once the data is read; each takes its share and says when it was cut short. */
    budget_s: z.number().min(2).max(300).default(DEFAULT_PREFLIGHT_BUDGET_S),
    /** 2026-11-21: false leaves out what trains for a while: the learning-rate sweep and the one batch by heart. */
    trials: z.boolean().default(true),
  })
  .strict();

/** Where a pre-flight stands. `report` is null until its worker has begun; `reason` says why it waits or failed. */
export const Preflight = z.object({
  job_id: Id,
  project_id: Id,
  state: JobState,
  reason: z.string().nullable(),
  report: PreflightReport.nullable(),
});
export type Preflight = z.infer<typeof Preflight>;

const PreflightParams = z.object({ job_id: IdText });
const WaitQuery = z.object({
  /** Seconds to wait for the end before answering. */
  wait: z
    .string()
    .regex(/^[0-9]{1,3}$/, "must be a whole number of seconds")
    .refine(
      (text) => Number(text) <= MAX_PREFLIGHT_WAIT_S,
      `must be at most ${MAX_PREFLIGHT_WAIT_S}`,
    )
    .default("0"),
});

export const startPreflight = defineEndpoint({
  domain: "runs",
  name: "start-preflight",
  method: "POST",
  path: "/api/preflight",
  access: "project-member",
  summary: "Look at a training before it starts: data, memory, first loss, learning rate, time.",
  query: WaitQuery,
  body: PreflightRequest,
  response: Preflight,
  status: 202,
});
export const getPreflight = defineEndpoint({
  domain: "runs",
  name: "get-preflight",
  method: "GET",
  path: "/api/preflight/:job_id",
  access: "project-viewer",
  summary: "Where a pre-flight stands, with what it has found so far.",
  params: PreflightParams,
  query: WaitQuery,
  response: Preflight,
});
export const cancelPreflight = defineEndpoint({
  domain: "runs",
  name: "cancel-preflight",
  method: "DELETE",
  path: "/api/preflight/:job_id",
  access: "project-member",
  summary: "End a pre-flight that nobody waits for any more.",
  params: PreflightParams,
  response: Done,
});
