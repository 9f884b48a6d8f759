// What stands in a row of the runs list, and which rows are worth drawing. Pure.
import {
  type JobState,
  type MetricValue,
  type RunSummary,
  trainedSeconds,
} from "@spotter/contract";
import {
  formatCount,
  formatDuration,
  formatNamedMetric,
  isNonFinite,
  MISSING,
} from "../../../platform/format/index.ts";

export interface Cell {
  text: string;
  isNumber: boolean;
  isBad: boolean;
  /** 0–1 where the cell is a bar. */
  share?: number | null;
  /** More, on hover. */
  hint?: string;
}

const UNFINISHED: readonly JobState[] = ["starting", "running", "paused"];

/** A cell's words; moments and ages are left to the page, which knows language and clock. */
export function cellOf(run: RunSummary, column: string, now: number, locale: string): Cell {
  if (column.startsWith("metric:")) {
    const name = column.slice("metric:".length);
    return metricCell(name, run.metrics[name]);
  }
  if (column === "progress") return progressCell(run);
  if (column === "best") {
    if (run.best === null) return number(MISSING);
    return {
      ...metricCell(run.best.metric, run.best.value),
      hint: `${run.best.metric} @ ${formatCount(run.best.step)}`,
    };
  }
  if (column === "duration") return number(formatDuration(trainedSeconds(run, now), locale));
  if (column === "tags") return words(run.tags.join(", "));
  if (column === "owner") return words(run.owner_name ?? MISSING);
  if (column === "source") return words(run.recipe ?? run.source);
  return words("");
}

/** 0–1; null where the end is unknown. */
export function shareDone(run: RunSummary): number | null {
  if (run.state === "finished") return 1;
  const progress = run.progress;
  if (progress === null || progress.total_steps === null || progress.total_steps <= 0) return null;
  return Math.min(1, Math.max(0, progress.step / progress.total_steps));
}

/** Which rows lie in the window, with some beyond each edge so that scrolling never shows a hole. */
export function visibleRows(
  numRows: number,
  rowHeight: number,
  scrolledPast: number,
  windowHeight: number,
  beyond = 12,
): { first: number; last: number } {
  const first = Math.max(0, Math.floor(scrolledPast / rowHeight) - beyond);
  const last = Math.min(numRows, Math.ceil((scrolledPast + windowHeight) / rowHeight) + beyond);
  return { first: Math.min(first, numRows), last: Math.max(last, 0) };
}

/** Puts a changed run where the list shows it; metric columns that the event does not carry stay. */
export function mergeRun(runs: readonly RunSummary[], changed: RunSummary): RunSummary[] | null {
  const position = runs.findIndex((run) => run.id === changed.id);
  const before = runs[position];
  if (before === undefined) return null;
  const merged = { ...changed, metrics: { ...before.metrics, ...changed.metrics } };
  return runs.with(position, merged);
}

export function isUnfinished(run: RunSummary): boolean {
  return UNFINISHED.includes(run.state);
}

function progressCell(run: RunSummary): Cell {
  const share = shareDone(run);
  const progress = run.progress;
  // A script says at which step it is, not of how many.
  if (progress === null)
    return {
      ...number(run.last_step === null ? MISSING : formatCount(run.last_step)),
      share: null,
    };
  const total = progress.total_steps === null ? "" : ` / ${formatCount(progress.total_steps)}`;
  return { ...number(`${formatCount(progress.step)}${total}`), share };
}

function metricCell(name: string, value: MetricValue | undefined): Cell {
  return {
    text: formatNamedMetric(name, value),
    isNumber: true,
    isBad: isNonFinite(value),
    hint: name,
  };
}

function number(text: string): Cell {
  return { text, isNumber: true, isBad: false };
}

function words(text: string): Cell {
  return { text, isNumber: false, isBad: false };
}
