// Stored series: names, windows for charts, and every raw point.
import {
  decodeMetricValue,
  listMetricNames,
  listPoints,
  type MetricNode,
  type MetricValue,
  type PointsPage,
  querySeries,
  type SeriesRequest,
  type SeriesWindow,
} from "@spotter/contract";
import type { z } from "zod";
import type { HttpClient } from "./http.ts";

/** Every series of a run, flat; `prefix` narrows. */
export async function* eachMetricName(
  client: HttpClient,
  runId: number,
  prefix = "",
): AsyncGenerator<MetricNode, void, undefined> {
  let after: string | undefined;
  do {
    const query = { prefix, flat: "true" as const, limit: "5000", after };
    const tree = await client.call(listMetricNames, { params: { run_id: runId }, query });
    yield* tree.nodes;
    after = tree.next_after ?? undefined;
  } while (after !== undefined);
}

/** Windows of several series at once, thinned to at most `max_points` buckets with exact minimum and maximum. */
export async function fetchSeries(
  client: HttpClient,
  requests: z.input<typeof SeriesRequest>[],
): Promise<SeriesWindow[]> {
  return (await client.call(querySeries, { body: { requests } })).series;
}

export interface Point {
  step: number;
  time: number;
  /** NaN and the infinities as themselves. */
  value: number;
  attempt: number;
  superseded: boolean;
}

/**
 * Every raw point of a series in the order of arrival.
 * @example for await (const point of eachPoint(client, 42, "train/loss")) sum += point.value;
 */
export async function* eachPoint(
  client: HttpClient,
  runId: number,
  name: string,
): AsyncGenerator<Point, void, undefined> {
  let offset: number | null = 0;
  while (offset !== null) {
    const query = { name, offset: String(offset), limit: "50000" };
    const page: PointsPage = await client.call(listPoints, { params: { run_id: runId }, query });
    for (let index = 0; index < page.step.length; index += 1) yield pointAt(page, index);
    offset = page.next_offset;
  }
}

function pointAt(page: PointsPage, index: number): Point {
  return {
    step: page.step[index] as number,
    time: page.time[index] as number,
    value: decodeMetricValue(page.value[index] as MetricValue),
    attempt: page.attempt[index] as number,
    superseded: page.superseded[index] as boolean,
  };
}
