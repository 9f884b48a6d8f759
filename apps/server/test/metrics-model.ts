// The metrics store beside a plain model of it: a list of commits in memory that says what every read must answer.
import type { MetricAppended, PointColumns, SeriesWindow, WorkerEvent } from "@spotter/contract";
import { decodeMetricValue, encodeMetricValue } from "@spotter/contract";
import { expect } from "vitest";
import {
  BatchWriter,
  MetricsService,
  MetricsStore,
  metricsSink,
  NamesStore,
  Sealer,
  sealingHere,
} from "../src/domains/metrics/index.ts";
import type { Database } from "../src/platform/db/database.ts";
import { statementMaker } from "../src/platform/db/statement.ts";

export interface ModelPoint {
  step: number;
  time: number;
  value: number;
}
export type ModelSeries = Record<string, ModelPoint[]>;
interface ModelCommit {
  commitNo: number;
  attempt: number;
  series: ModelSeries;
}
interface Arrived extends ModelPoint {
  attempt: number;
  commitNo: number;
}

export const RUN = 42;

/** The real room over one open database. */
export function openRoom(database: Database) {
  const store = new MetricsStore(database);
  const sealer = new Sealer({
    database,
    store,
    engine: sealingHere,
    now: () => 1_000,
    onError: (error) => {
      throw error;
    },
  });
  const appended: MetricAppended[] = [];
  const sink = metricsSink(new BatchWriter(), {
    appended: (event) => appended.push(event),
    wentBack: () => undefined,
    ended: () => undefined,
    epochCompleted: () => undefined,
  });
  const make = statementMaker(database.engine);
  return {
    store,
    sealer,
    appended,
    service: new MetricsService(store, new NamesStore(database)),
    async send(attempt: number, events: WorkerEvent[]): Promise<number | null> {
      const context = {
        jobId: RUN,
        projectId: 1,
        attempt,
        source: "worker" as const,
        seq: 1,
        receivedAt: 1_000,
      };
      const plan = await sink.plan(context, events);
      const outcome = await database.ingest({
        // Any row: whether a batch is a repeat is the queue's affair.
        guard: make("update schema_migrations set applied_at = applied_at where name = ?", [
          "0001-metrics",
        ]),
        statements: plan.statements ?? [],
        procedures: plan.procedures ?? [],
        lane: RUN,
      });
      if (outcome.status !== "committed") throw new Error("The batch was skipped.");
      plan.afterCommit?.(outcome.results);
      return plan.commitNoOf?.(outcome.results) ?? null;
    },
  };
}
export type Room = ReturnType<typeof openRoom>;

export function pointsEvent(series: ModelSeries): WorkerEvent {
  const columns = Object.entries(series).map(([name, points]): [string, PointColumns] => [
    name,
    {
      step: points.map((point) => point.step),
      time: points.map((point) => point.time),
      value: points.map((point) => encodeMetricValue(point.value)),
    },
  ]);
  return { type: "metric-points", series: Object.fromEntries(columns) };
}

export class MetricsModel {
  readonly commits: ModelCommit[] = [];
  readonly starts = new Map<number, number>();

  add(attempt: number, series: ModelSeries): void {
    const kept = Object.entries(series).filter(([, points]) => points.length > 0);
    if (kept.length > 0)
      this.commits.push({
        commitNo: this.commits.length + 1,
        attempt,
        series: Object.fromEntries(kept),
      });
  }

  names(): string[] {
    return [...new Set(this.commits.flatMap((commit) => Object.keys(commit.series)))];
  }

  cutOf(attempt: number): number {
    const later = [...this.starts].filter(([other]) => other > attempt);
    return Math.min(Number.POSITIVE_INFINITY, ...later.map(([, firstStep]) => firstStep));
  }

  arrived(name: string): Arrived[] {
    return this.commits.flatMap(({ commitNo, attempt, series }) =>
      (series[name] ?? []).map((point) => ({ ...point, attempt, commitNo })),
    );
  }

  shown(name: string, superseded: boolean): Arrived[] {
    return this.arrived(name).filter(
      (point) => point.step >= this.cutOf(point.attempt) === superseded,
    );
  }
}

/** Every stored point, in order of arrival, by pages. */
export async function expectPoints(room: Room, model: MetricsModel, limit: number): Promise<void> {
  for (const name of model.names()) {
    const expected = model.arrived(name);
    const found: unknown[] = [];
    let offset: number | null = 0;
    while (offset !== null) {
      const page = await room.service.listPoints(RUN, name, offset, limit);
      expect(page.total).toBe(expected.length);
      page.step.forEach((step, index) => {
        found.push({
          step,
          time: page.time[index],
          value: decodeMetricValue(page.value[index]!),
          attempt: page.attempt[index],
          commitNo: page.commit_no[index],
          superseded: page.superseded[index],
        });
      });
      offset = page.next_offset;
    }
    expect(found).toEqual(
      expected.map((point) => ({
        ...point,
        superseded: point.step >= model.cutOf(point.attempt),
      })),
    );
  }
}

/** Replay from a position has each commit, series and point exactly once, in order. */
export async function expectReplay(
  room: Room,
  model: MetricsModel,
  from: number,
  limit: number,
): Promise<void> {
  const events: MetricAppended[] = [];
  let position = from;
  for (let more = true; more; ) {
    const page = await room.service.readAfter(RUN, position, limit);
    events.push(...page.events);
    position = page.commitNo;
    more = page.more;
  }
  const expected = model.commits
    .filter((commit) => commit.commitNo > from)
    .map((commit) => ({
      type: "metric-appended",
      run_id: RUN,
      commit_no: commit.commitNo,
      attempt: commit.attempt,
      series: (pointsEvent(commit.series) as { series: unknown }).series,
    }));
  expect(events).toEqual(expected);
}

export interface ModelWindow {
  x: "step" | "time";
  from: number | null;
  to: number | null;
  maxPoints: number;
  superseded: boolean;
}

/** What any window promises, however the points lie. */
export async function expectWindow(
  room: Room,
  model: MetricsModel,
  name: string,
  request: ModelWindow,
): Promise<SeriesWindow> {
  const [window] = await room.service.queryWindows(RUN, [name], request);
  if (window === undefined) throw new Error("No window came.");
  const xOf = (point: ModelPoint) => (request.x === "step" ? point.step : point.time);
  const shown = model
    .shown(name, request.superseded)
    .filter(
      (point) =>
        xOf(point) >= (request.from ?? Number.NEGATIVE_INFINITY) &&
        xOf(point) <= (request.to ?? Number.POSITIVE_INFINITY),
    );
  const { buckets } = window;
  const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
  expect(window.num_buckets).toBeLessThanOrEqual(request.maxPoints);
  expect(window.num_points).toBe(shown.length);
  expect(sum(buckets.count)).toBe(shown.length);
  expect(window.total_points).toBe(model.shown(name, false).length);
  expect(window.superseded_points).toBe(model.shown(name, true).length);
  expect(window.commit_no).toBe(model.commits.length);
  const values = shown.map((point) => point.value);
  expect(sum(buckets.nan)).toBe(values.filter(Number.isNaN).length);
  expect(sum(buckets.pos_inf)).toBe(values.filter((value) => value === Infinity).length);
  expect(sum(buckets.neg_inf)).toBe(values.filter((value) => value === -Infinity).length);
  buckets.count.forEach((count, index) => {
    const within = shown.filter(
      (point) =>
        point.step >= buckets.first_step[index]! &&
        point.step <= buckets.last_step[index]! &&
        point.time >= buckets.first_time[index]! &&
        point.time <= buckets.last_time[index]!,
    );
    expect(count).toBeGreaterThan(0);
    expect(within.length).toBeGreaterThanOrEqual(count);
    const finite = within.map((point) => point.value).filter(Number.isFinite);
    const [min, max, mean] = [buckets.min[index]!, buckets.max[index]!, buckets.mean[index]!];
    if (min !== null) {
      expect(finite).toContain(min);
      expect(finite).toContain(max);
      expect(mean).toBeGreaterThanOrEqual(min);
      expect(mean).toBeLessThanOrEqual(max);
    }
  });
  const finite = values.filter(Number.isFinite);
  const least = (numbers: (number | null)[]) =>
    numbers.reduce<number>((a, b) => Math.min(a, b ?? Infinity), Infinity);
  const greatest = (numbers: (number | null)[]) =>
    numbers.reduce<number>((a, b) => Math.max(a, b ?? -Infinity), -Infinity);
  expect(least(buckets.min)).toBe(least(finite));
  expect(greatest(buckets.max)).toBe(greatest(finite));
  expectLast(window, model, name);
  return window;
}

function expectLast(window: SeriesWindow, model: MetricsModel, name: string): void {
  const last = model
    .shown(name, false)
    .reduce<Arrived | undefined>(
      (best, point) =>
        best === undefined ||
        point.attempt > best.attempt ||
        (point.attempt === best.attempt && point.step >= best.step)
          ? point
          : best,
      undefined,
    );
  expect(window.last).toEqual(
    last === undefined
      ? null
      : { step: last.step, time: last.time, value: encodeMetricValue(last.value) },
  );
}

/** In addition, when steps only rise: each bucket is a run of neighbours, and its sums are exactly theirs. */
export function expectNeighbours(window: SeriesWindow, shown: readonly ModelPoint[]): void {
  const { buckets } = window;
  let from = 0;
  buckets.count.forEach((count, index) => {
    const points = shown.slice(from, from + count);
    from += count;
    const finite = points.map((point) => point.value).filter(Number.isFinite);
    expect(buckets.first_step[index]).toBe(points[0]!.step);
    expect(buckets.last_step[index]).toBe(points.at(-1)!.step);
    expect(buckets.min[index]).toBe(
      finite.length === 0 ? null : finite.reduce((a, b) => Math.min(a, b)),
    );
    expect(buckets.max[index]).toBe(
      finite.length === 0 ? null : finite.reduce((a, b) => Math.max(a, b)),
    );
    if (finite.length > 0)
      expect(buckets.mean[index]).toBeCloseTo(
        finite.reduce((total, value) => total + value, 0) / finite.length,
        9,
      );
  });
  expect(from).toBe(shown.length);
}
