// The log lines that the page holds: joined from pages and the live tail by line number, without gap or repeat.
import type { LogLine } from "@spotter/contract";

/** More lines than this are dropped at the far end; scrolling there reads them again. */
export const MAX_LINES = 20_000;

/** Adds lines into a list that is sorted by number. */
export function mergeLines(held: readonly LogLine[], added: readonly LogLine[]): LogLine[] {
  if (added.length === 0) return [...held];
  const last = held[held.length - 1]?.line_no ?? 0;
  const first = held[0]?.line_no ?? Number.POSITIVE_INFINITY;
  // The two usual cases: behind the end, or before the beginning.
  if (added.every((line) => line.line_no > last)) return [...held, ...added];
  if (added.every((line) => line.line_no < first)) return [...added, ...held];
  const byNumber = new Map([...held, ...added].map((line) => [line.line_no, line]));
  return [...byNumber.values()].sort((a, b) => a.line_no - b.line_no);
}

/** Keeps the end that is looked at. */
export function trimLines(lines: readonly LogLine[], keep: "newest" | "oldest"): LogLine[] {
  if (lines.length <= MAX_LINES) return [...lines];
  return keep === "newest" ? lines.slice(-MAX_LINES) : lines.slice(0, MAX_LINES);
}

const LEVELS = ["debug", "info", "warning", "error"] as const;

/** Whether a line of the live tail passes the filters that the server applies to pages. */
export function passes(line: LogLine, level: string, search: string): boolean {
  const isLoud = level === "all" || LEVELS.indexOf(line.level) >= LEVELS.indexOf(level as "debug");
  return isLoud && (search === "" || line.text.toLowerCase().includes(search.toLowerCase()));
}

/** Rows that exist of a list of fixed row height. */
export function visibleRows(
  numRows: number,
  rowHeight: number,
  scrollTop: number,
  height: number,
): { first: number; end: number } {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - 20);
  const end = Math.min(numRows, Math.ceil((scrollTop + height) / rowHeight) + 20);
  return { first: Math.min(first, end), end };
}

/** The step that a line speaks of: what the tracker said, else `step 120` in the text. */
export function stepOf(line: Pick<LogLine, "step" | "text">): number | null {
  if (line.step !== null) return line.step;
  const found = /\bstep[ =:]+([0-9][0-9,]*)/i.exec(line.text)?.[1];
  return found === undefined ? null : Number(found.replaceAll(",", ""));
}
