// Runs side by side: reports, their files, and comparisons saved under a name.
import {
  type CompareRunsQuery,
  type Comparison,
  type ComparisonReport,
  type CreateComparison,
  compareRuns,
  createComparison,
  exportComparison,
  getComparison,
} from "@spotter/contract";
import type { z } from "zod";
import type { HttpClient } from "./http.ts";

/** How a comparison is looked at: the base run, the metric, last or best values. */
export type ComparisonView = Omit<z.input<typeof CompareRunsQuery>, "runs">;

/**
 * Values, configs, groups of seeds and verdicts of these runs.
 * @example (await fetchComparison(client, [41, 42], { metric: "val/loss" })).verdicts
 */
export function fetchComparison(
  client: HttpClient,
  runIds: readonly number[],
  view: ComparisonView = {},
): Promise<ComparisonReport> {
  return client.call(compareRuns, { query: { ...view, runs: runIds.join(",") } });
}

/** The same as the text of a file. */
export async function fetchComparisonFile(
  client: HttpClient,
  runIds: readonly number[],
  options: ComparisonView & { format: "csv" | "json" | "markdown"; lang?: "en" | "zh" },
): Promise<string> {
  const query = { ...options, runs: runIds.join(",") };
  const response = await client.request({ method: "GET", path: exportComparison.path }, { query });
  return response.text();
}

/** A saved comparison with its report as it is now. */
export function fetchSavedComparison(
  client: HttpClient,
  comparisonId: number,
  view: ComparisonView = {},
): Promise<{ comparison: Comparison; report: ComparisonReport }> {
  const params = { comparison_id: comparisonId };
  return client.call(getComparison, { params, query: view });
}

/** Saves a comparison of runs of one project. */
export function saveComparison(
  client: HttpClient,
  wish: z.input<typeof CreateComparison>,
): Promise<Comparison> {
  return client.call(createComparison, { body: wish });
}
