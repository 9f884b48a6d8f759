// Comparing runs: their values side by side, groups of seeds, verdicts; and comparisons that were saved under a name.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { RunOrigin } from "./run-origin.ts";
import { RunSummary } from "./runs.ts";
import { Done, Id, IdText, MetricName, MetricValue, Title, UnixTime } from "./scalars.ts";
import type { WordsLanguage } from "./words-language.ts";

/** As many runs as one comparison holds. */
export const MAX_COMPARED_RUNS = 50;
/** Metrics that one report reads, those beyond are counted. */
export const MAX_COMPARED_METRICS = 60;

/** Which of a series' values stands for the run. */
export const ComparedValue = z.enum(["last", "best"]);
export type ComparedValue = z.infer<typeof ComparedValue>;
export const MetricDirection = z.enum(["higher", "lower"]);

/** Ends of a 95 % interval. */
export const Interval = z.object({ low: z.number(), high: z.number() });

export const ComparedRun = RunSummary.pick({
  id: true,
  project_id: true,
  name: true,
  source: true,
  recipe: true,
  state: true,
  tags: true,
  created_at: true,
  started_at: true,
  ended_at: true,
  deleted_at: true,
  parent_id: true,
}).extend({
  /** The config's seed as text; null where it names none. */
  seed: z.string().nullable(),
  /** The group of runs that began as it did, and that it differs from in the seed only. */
  group: z.string(),
  /** 2026-11-22: where its training began; null of a run that a script told of. */
  origin: RunOrigin.nullable().default(null),
});
export type ComparedRun = z.infer<typeof ComparedRun>;

/** What one run says of one metric. */
export const MetricReading = z.object({
  run_id: Id,
  last: z.object({ step: z.number().int(), value: MetricValue }).nullable(),
  /** Over the finite values; null where nobody knows which end is good, or no value is finite. */
  best: z.number().nullable(),
  num_points: z.number().int(),
  /** Values that are NaN or infinite. */
  num_non_finite: z.number().int(),
});
export type MetricReading = z.infer<typeof MetricReading>;

export const ComparedMetric = z.object({
  name: MetricName,
  /** Null where its name does not say which end is good. */
  direction: MetricDirection.nullable(),
  /** Runs that lack the metric are left out. */
  readings: z.array(MetricReading),
  /**
   * The runs with the better value; none where all are equal, nobody knows which end is good, or they were measured on
   * different examples.
   */
  better: z.object({ last: z.array(Id), best: z.array(Id) }),
});
export type ComparedMetric = z.infer<typeof ComparedMetric>;

/** One key of the configs: a value a run, in the report's order, null where the config has no such key. */
export const ConfigRow = z.object({
  key: z.string(),
  values: z.array(z.string().nullable()),
  differs: z.boolean(),
  is_seed: z.boolean(),
});
export type ConfigRow = z.infer<typeof ConfigRow>;

/** Why a run takes no part in a group's mean or a verdict. */
export const LeftOut = z.object({
  run_id: Id,
  /** `repeat`: the same seed gave the same value before; the same training twice tells nothing of another seed. */
  reason: z.enum(["missing", "non-finite", "no-partner", "repeat"]),
});
export type LeftOut = z.infer<typeof LeftOut>;

/** Runs that began the same way and differ in nothing but the seed, and what they say of the chosen metric together. */
export const RunGroup = z.object({
  id: z.string(),
  /** What sets it apart from the other groups, or the run's name. */
  label: z.string(),
  /** 2026-11-22: the same in Chinese. */
  label_zh: z.string().default(""),
  run_ids: z.array(Id),
  /** Values that the mean is of. */
  n: z.number().int(),
  mean: z.number().nullable(),
  /** Standard deviation over n − 1. */
  sd: z.number().nullable(),
  /** 95 % t interval of the mean; null with one value. */
  interval: Interval.nullable(),
  left_out: z.array(LeftOut),
});
export type RunGroup = z.infer<typeof RunGroup>;

/** A group's name; its letter where the server told no group of it. */
export function groupLabel(
  groups: readonly Pick<RunGroup, "id" | "label" | "label_zh">[],
  id: string,
  language: WordsLanguage,
): string {
  const group = groups.find((one) => one.id === id);
  if (group === undefined) return id;
  // A server of before 2026-11-22 tells only the one.
  return language === "zh" && group.label_zh ? group.label_zh : group.label;
}

/** Whether all runs began alike: then nobody needs to be told where. */
export function beganAlike(runs: readonly Pick<ComparedRun, "origin">[]): boolean {
  return new Set(runs.map(({ origin }) => JSON.stringify(origin))).size <= 1;
}

/**
 * How many seeds a test would need to find, four times out of five at 0.05, an effect as large as the one observed.
 * `spread-of-one-group`: the other group has one run, and is taken to spread alike. `unknown`: nothing to plan by.
 */
export const SeedsNeeded = z.object({
  assumes: z.enum(["observed-effect", "spread-of-one-group", "unknown"]),
  /** Null when unknown, or when it is more than 1,000. */
  per_group: z.number().int().nullable(),
  more_base: z.number().int().nullable(),
  more_other: z.number().int().nullable(),
});

/** What the chosen metric says of a group against the base group. */
export const Verdict = z.object({
  base: z.string(),
  other: z.string(),
  /** `different`: beyond chance, but nobody knows which end of the metric is good. */
  outcome: z.enum(["better", "worse", "different", "within-noise", "no-verdict"]),
  /** Why there is no verdict. */
  reason: z.enum(["no-values", "one-run", "identical", "no-spread", "apart"]).nullable(),
  /** 2026-11-22: by what the examples of the two groups differ, where the metric was measured on different ones. */
  apart: z.array(z.string()).default([]),
  /** Paired where seeds match that were drawn from since the same beginning, else Welch's. */
  test: z.enum(["paired", "welch"]).nullable(),
  /** Values that were used of either group. */
  n_base: z.number().int(),
  n_other: z.number().int(),
  /** Mean of the other group over the base's. */
  difference: z.number().nullable(),
  interval: Interval.nullable(),
  t: z.number().nullable(),
  df: z.number().nullable(),
  /** Two-sided; not corrected for the number of verdicts. */
  p: z.number().nullable(),
  effect: z
    .object({
      kind: z.enum(["d_z", "hedges_g"]),
      value: z.number(),
      cohens_d: z.number().nullable(),
    })
    .nullable(),
  /** Null where the verdict stands. */
  seeds: SeedsNeeded.nullable(),
  left_out: z.array(LeftOut),
  /** Runs that go on: their values may still change. */
  unfinished: z.array(Id),
});
export type Verdict = z.infer<typeof Verdict>;

export const ComparisonReport = z.object({
  runs: z.array(ComparedRun),
  /** Runs of a saved comparison that are gone for good. */
  missing_run_ids: z.array(Id),
  metrics: z.array(ComparedMetric),
  /** Metrics that the runs have, the machine's own left out; `metrics` has the first of them. */
  num_metrics: z.number().int(),
  config: z.array(ConfigRow),
  /** 2026-11-22: parts of the data whose examples are not the same for all runs, and by what they differ. */
  apart: z
    .array(z.object({ part: z.enum(["test", "val"]), fields: z.array(z.string()) }))
    .default([]),
  /** Keys that the configs have; `config` has at most a thousand of them. */
  num_config: z.number().int(),
  /** What groups and verdicts are about; null where the runs have no metric at all. */
  metric: MetricName.nullable(),
  direction: MetricDirection.nullable(),
  /** `last` also where `best` was asked of a metric without direction. */
  value: ComparedValue,
  groups: z.array(RunGroup),
  base: z.string().nullable(),
  verdicts: z.array(Verdict),
});
export type ComparisonReport = z.infer<typeof ComparisonReport>;

const RunIds = z
  .string()
  .max(900)
  .regex(/^[1-9][0-9]{0,14}(,[1-9][0-9]{0,14})*$/, "must be run numbers, comma-separated")
  .refine(
    (text) => new Set(text.split(",")).size <= MAX_COMPARED_RUNS,
    `must name at most ${MAX_COMPARED_RUNS} runs`,
  );

/** How a comparison is looked at. */
const ViewQuery = z.object({
  /** A run: the others are measured against its group; default the first run. */
  base: IdText.optional(),
  /** The metric of groups and verdicts; default the one that chose the first run's best model. */
  metric: MetricName.optional(),
  value: ComparedValue.optional(),
});
export const CompareRunsQuery = ViewQuery.extend({ runs: RunIds });
export type CompareRunsQuery = z.infer<typeof CompareRunsQuery>;

export const compareRuns = defineEndpoint({
  domain: "comparisons",
  name: "compare-runs",
  method: "GET",
  path: "/api/comparisons/report",
  access: "signed-in",
  summary:
    "Runs side by side: values, configs, groups of seeds, verdicts. Needs viewer in each run's project.",
  query: CompareRunsQuery,
  response: ComparisonReport,
});
export const ComparisonFormat = z.enum(["csv", "json", "markdown"]);
export const exportComparison = defineEndpoint({
  domain: "comparisons",
  name: "export-comparison",
  method: "GET",
  path: "/api/comparisons/export",
  access: "signed-in",
  summary: "The same as a file: CSV, JSON or Markdown.",
  query: CompareRunsQuery.extend({
    format: ComparisonFormat,
    /** Of the Markdown's sentences. */
    lang: z.enum(["en", "zh"]).default("en"),
  }),
  stream: "file",
});

/** A comparison under a name: which runs, and how they are looked at. All of one project. */
export const Comparison = z.object({
  id: Id,
  project_id: Id,
  name: z.string(),
  run_ids: z.array(Id),
  base: Id.nullable(),
  metric: MetricName.nullable(),
  value: ComparedValue,
  created_at: UnixTime,
  updated_at: UnixTime,
  created_by: Id.nullable(),
  created_by_name: z.string().nullable(),
});
export type Comparison = z.infer<typeof Comparison>;

export const CreateComparison = z
  .object({
    name: Title,
    run_ids: z.array(Id).min(1).max(MAX_COMPARED_RUNS),
    base: Id.nullable().default(null),
    metric: MetricName.nullable().default(null),
    value: ComparedValue.default("last"),
  })
  .strict();
export const UpdateComparison = z
  .object({
    name: Title.optional(),
    run_ids: z.array(Id).min(1).max(MAX_COMPARED_RUNS).optional(),
    base: Id.nullable().optional(),
    metric: MetricName.nullable().optional(),
    value: ComparedValue.optional(),
  })
  .strict();
const ComparisonParams = z.object({ comparison_id: IdText });

export const listComparisons = defineEndpoint({
  domain: "comparisons",
  name: "list-comparisons",
  method: "GET",
  path: "/api/comparisons",
  access: "signed-in",
  summary: "Saved comparisons of the projects that you are in, newest first.",
  query: z.object({ project_id: IdText.optional() }),
  response: z.object({ comparisons: z.array(Comparison) }),
});
export const createComparison = defineEndpoint({
  domain: "comparisons",
  name: "create-comparison",
  method: "POST",
  path: "/api/comparisons",
  access: "project-member",
  summary: "Save a comparison of runs of one project.",
  body: CreateComparison,
  response: Comparison,
  status: 201,
});
export const getComparison = defineEndpoint({
  domain: "comparisons",
  name: "get-comparison",
  method: "GET",
  path: "/api/comparisons/:comparison_id",
  access: "project-viewer",
  summary: "A saved comparison with its report as it is now; the query looks at it another way.",
  params: ComparisonParams,
  query: ViewQuery,
  response: z.object({ comparison: Comparison, report: ComparisonReport }),
});
export const updateComparison = defineEndpoint({
  domain: "comparisons",
  name: "update-comparison",
  method: "PATCH",
  path: "/api/comparisons/:comparison_id",
  access: "project-member",
  summary: "Rename a saved comparison, or change its runs or how it is looked at.",
  params: ComparisonParams,
  body: UpdateComparison,
  response: Comparison,
});
export const deleteComparison = defineEndpoint({
  domain: "comparisons",
  name: "delete-comparison",
  method: "DELETE",
  path: "/api/comparisons/:comparison_id",
  access: "project-member",
  summary: "Delete a saved comparison; its runs stay.",
  params: ComparisonParams,
  response: Done,
});
