// Lanes of the machine over time: a lane for each GPU, one for the processor; what runs is certain up to now, the rest a
// forecast. Decides what is drawn; `QueueLanes.vue` only paints. Pure.
import type { QueueEntry, QueueView } from "@spotter/contract";

export interface Bar {
  readonly jobId: number;
  readonly name: string;
  readonly isRunning: boolean;
  /** Shares of the lane's width, from 0 to 1. */
  readonly from: number;
  readonly to: number;
  /** Up to here it has happened; beyond it is a forecast. Not below `from`. */
  readonly sure: number;
  /** It began before the lane does. */
  readonly isCut: boolean;
  /** Nobody knows its end. */
  readonly isOpen: boolean;
  readonly startsAt: number;
  readonly endsAt: number | null;
}

export interface Lane {
  readonly key: string;
  readonly kind: "gpu" | "cpu";
  readonly index: number;
  /** Bars that overlap in time stand below each other. */
  readonly rows: readonly (readonly Bar[])[];
}

export interface Lanes {
  readonly from: number;
  readonly to: number;
  /** Where now is, as a share. */
  readonly now: number;
  readonly ticks: readonly { readonly time: number; readonly at: number }[];
  readonly lanes: readonly Lane[];
}

const LEAST_BEFORE_S = 10 * 60;
const MOST_BEFORE_S = 3 * 3600;
const LEAST_AFTER_S = 30 * 60;
const MOST_AFTER_S = 24 * 3600;
const TICKS_S = [300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200];
const MOST_TICKS = 7;

interface Span {
  readonly entry: QueueEntry;
  readonly gpus: readonly number[];
  readonly from: number;
  readonly to: number | null;
}

export function prepareLanes(queue: QueueView): Lanes {
  const { time: now, machine } = queue;
  const spans = spansOf(queue);
  const oldest = Math.min(now, ...spans.map(({ from }) => from));
  const newest = Math.max(now, ...spans.map(({ from, to }) => to ?? from));
  const from = now - clamp(now - oldest, LEAST_BEFORE_S, MOST_BEFORE_S);
  const to = now + clamp((newest - now) * 1.1, LEAST_AFTER_S, MOST_AFTER_S);
  const share = (time: number) => clamp((time - from) / (to - from), 0, 1);
  const barOf = ({ entry, from: begins, to: ends }: Span): Bar => ({
    jobId: entry.job_id,
    name: entry.name,
    isRunning: entry.position === null,
    from: share(begins),
    to: ends === null ? 1 : Math.max(share(ends), share(begins) + 0.004),
    sure: entry.position === null ? share(now) : share(begins),
    isCut: begins < from,
    isOpen: ends === null,
    startsAt: begins,
    endsAt: ends,
  });
  const shown = spans.filter((span) => span.from < to);
  const gpuLanes = (machine?.gpus ?? []).map(({ index }) => ({
    ...{ key: `gpu-${index}`, kind: "gpu" as const, index },
    rows: stacked(shown.filter(({ gpus }) => gpus.includes(index)).map(barOf)),
  }));
  const onProcessor = shown.filter(({ gpus }) => gpus.length === 0);
  const cpuLane = {
    key: "cpu",
    kind: "cpu" as const,
    index: 0,
    rows: stacked(onProcessor.map(barOf)),
  };
  const hasCpuLane = gpuLanes.length === 0 || onProcessor.length > 0;
  return {
    ...{ from, to, now: share(now) },
    ticks: ticksOf(from, to).map((time) => ({ time, at: share(time) })),
    lanes: hasCpuLane ? [...gpuLanes, cpuLane] : gpuLanes,
  };
}

/** What runs, on its GPUs; then what has a forecast, on those that are free first by then. */
function spansOf({ running, ending, waiting, machine, time: now }: QueueView): Span[] {
  const freeAt = new Map((machine?.gpus ?? []).map(({ index }) => [index, 0]));
  const take = (gpus: readonly number[], until: number | null) => {
    for (const index of gpus) freeAt.set(index, until ?? Number.POSITIVE_INFINITY);
  };
  const spans: Span[] = [];
  for (const entry of running) {
    if (entry.kind !== "train") continue;
    const to = entry.ends_at === null ? null : Math.max(now, entry.ends_at);
    take(entry.gpus, to);
    spans.push({ entry, gpus: entry.gpus, from: entry.started_at ?? now, to });
  }
  for (const entry of ending) {
    take(entry.gpus, now);
    spans.push({ entry, gpus: entry.gpus, from: entry.started_at ?? now, to: now });
  }
  for (const entry of waiting) {
    if (entry.kind !== "train" || entry.starts_at === null) continue;
    const wanted = entry.needs?.gpus ?? 0;
    const gpus = [...freeAt]
      .sort(([a, freeA], [b, freeB]) => freeA - freeB || a - b)
      .slice(0, wanted)
      .map(([index]) => index);
    take(gpus, entry.ends_at);
    spans.push({ entry, gpus, from: entry.starts_at, to: entry.ends_at });
  }
  return spans;
}

function stacked(bars: readonly Bar[]): Bar[][] {
  const rows: Bar[][] = [];
  for (const bar of [...bars].sort((a, b) => a.from - b.from)) {
    const row = rows.find((other) => (other.at(-1)?.to ?? 0) <= bar.from + 1e-9);
    if (row === undefined) rows.push([bar]);
    else row.push(bar);
  }
  return rows.length === 0 ? [[]] : rows;
}

function ticksOf(from: number, to: number): number[] {
  const step = TICKS_S.find((size) => (to - from) / size <= MOST_TICKS) ?? 86_400;
  // Whole hours by the reader's clock, whose zone may lie half an hour beside the others.
  const shift = new Date(from * 1000).getTimezoneOffset() * 60;
  const first = Math.ceil((from - shift) / step) * step + shift;
  const ticks: number[] = [];
  for (let tick = first; tick < to; tick += step) ticks.push(tick);
  return ticks;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
