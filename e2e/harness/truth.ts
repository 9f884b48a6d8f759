// The worker's append-only truth file, and the server's points in the same shape, to hold one against the other.
import { readFileSync } from "node:fs";
import { listMetricNames, listPoints, type MetricValue } from "@spotter/contract";
import type { House } from "./house.ts";

/** `attempt step time value`, exact: floats in the shortest form that reads back as the same bits. */
export type PointLine = string;

export function pointLine(
  attempt: number,
  step: number,
  time: number,
  value: MetricValue,
): PointLine {
  return `${attempt} ${step} ${time} ${value}`;
}

/** What the worker of one attempt was told to log: series → points in order. */
export function readTruth(file: string, attempt = 1): Map<string, PointLine[]> {
  const truth = new Map<string, PointLine[]>();
  for (const { name, step, time, value } of linesOf(file))
    add(truth, name, pointLine(attempt, step, time, value));
  return truth;
}

/** The same of several jobs with all their attempts, by `job/attempt`. */
export function readTruths(file: string): Map<string, Map<string, PointLine[]>> {
  const truths = new Map<string, Map<string, PointLine[]>>();
  for (const { job_id, attempt, name, step, time, value } of linesOf(file)) {
    const key = `${job_id}/${attempt}`;
    const truth = truths.get(key) ?? new Map<string, PointLine[]>();
    truths.set(key, truth);
    add(truth, name, pointLine(attempt, step, time, value));
  }
  return truths;
}

interface TruthLine {
  readonly job_id: number;
  readonly attempt: number;
  readonly name: string;
  readonly step: number;
  readonly time: number;
  readonly value: MetricValue;
}

function linesOf(file: string): TruthLine[] {
  // The last piece is empty, or a line that is being written.
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as TruthLine);
}

function add(truth: Map<string, PointLine[]>, name: string, line: PointLine): void {
  const points = truth.get(name) ?? [];
  points.push(line);
  truth.set(name, points);
}

/** What the server has, read through its API by pages. */
export async function readStored(house: House, runId: number): Promise<Map<string, PointLine[]>> {
  const tree = await house.client.call(listMetricNames, {
    params: { run_id: runId },
    query: { flat: "true", limit: "5000" },
  });
  const stored = new Map<string, PointLine[]>();
  for (const node of tree.nodes) stored.set(node.path, await readSeries(house, runId, node.path));
  return stored;
}

async function readSeries(house: House, runId: number, name: string): Promise<PointLine[]> {
  const lines: PointLine[] = [];
  for (let offset: number | null = 0; offset !== null; ) {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage(house, runId, name, offset);
    page.step.forEach((step, index) => {
      lines.push(
        pointLine(page.attempt[index] ?? 0, step, page.time[index] ?? 0, page.value[index] ?? 0),
      );
    });
    offset = page.next_offset;
  }
  return lines;
}

function readPage(house: House, runId: number, name: string, offset: number) {
  return house.client.call(listPoints, {
    params: { run_id: runId },
    query: { name, offset: String(offset) },
  });
}
