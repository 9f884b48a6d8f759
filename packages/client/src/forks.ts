// Forks: preview one, start them, and see the family.
import {
  createForks,
  type ForkAnswer,
  type ForkPlan,
  type ForkRequest,
  getLineage,
  type Lineage,
  previewForks,
} from "@spotter/contract";
import type { z } from "zod";
import type { HttpClient } from "./http.ts";

/** What a fork would keep and change, with warnings; nothing is started. */
export function previewFork(
  client: HttpClient,
  runId: number,
  request: z.input<typeof ForkRequest>,
): Promise<ForkPlan> {
  return client.call(previewForks, { params: { run_id: runId }, body: request });
}

/**
 * Queues runs that begin in a checkpoint of this one, one for each seed.
 * @example const { runs } = await forkRun(client, 42, { checkpoint: "best", changes: { learning_rate: 1e-4 } });
 */
export function forkRun(
  client: HttpClient,
  runId: number,
  request: z.input<typeof ForkRequest>,
): Promise<ForkAnswer> {
  return client.call(createForks, { params: { run_id: runId }, body: request });
}

/** The run's ancestors and all that descend from them. */
export function fetchLineage(client: HttpClient, runId: number): Promise<Lineage> {
  return client.call(getLineage, { params: { run_id: runId } });
}
