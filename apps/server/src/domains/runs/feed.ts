// Tells live views what has changed in a run, a few times a second at most: a page shows states, not every write.
import type { Bus } from "../../platform/bus.ts";
import type { Log } from "../../platform/log.ts";
import type { LogsStore } from "./logs-store.ts";
import type { RunsStore } from "./store.ts";
import { toFile, toSummary } from "./views.ts";

const SUMMARY_INTERVAL_MS = 300;
const LINES_INTERVAL_MS = 100;
/** A burst beyond this is read from the log page instead. */
const MAX_LINES_AT_ONCE = 2_000;

export class RunFeed {
  readonly #store: RunsStore;
  readonly #logs: LogsStore;
  readonly #bus: Bus;
  readonly #log: Log;
  readonly #summaryTimers = new Map<number, NodeJS.Timeout>();
  readonly #summaryAt = new Map<number, number>();
  readonly #lineTimers = new Map<number, NodeJS.Timeout>();
  readonly #numLinesDue = new Map<number, number>();
  #isClosed = false;

  constructor(parts: { store: RunsStore; logs: LogsStore; bus: Bus; log: Log }) {
    this.#store = parts.store;
    this.#logs = parts.logs;
    this.#bus = parts.bus;
    this.#log = parts.log;
  }

  /** The first change is told at once, those after it together at the end of the interval. */
  runTouched(runId: number): void {
    if (this.#isClosed || this.#summaryTimers.has(runId)) return;
    // By the process's own time: after a clock that is set back the next change would be told an hour late.
    const sinceMs = performance.now() - (this.#summaryAt.get(runId) ?? -SUMMARY_INTERVAL_MS);
    const timer = setTimeout(
      () => {
        this.#summaryTimers.delete(runId);
        this.#summaryAt.set(runId, performance.now());
        this.#attempt(this.#publishRun(runId), runId);
      },
      Math.max(0, SUMMARY_INTERVAL_MS - sinceMs),
    );
    this.#summaryTimers.set(runId, timer);
  }

  linesAppended(runId: number, numLines: number): void {
    this.#numLinesDue.set(runId, (this.#numLinesDue.get(runId) ?? 0) + numLines);
    if (this.#lineTimers.has(runId)) return;
    const timer = setTimeout(() => {
      this.#lineTimers.delete(runId);
      this.#attempt(this.#publishLines(runId), runId);
    }, LINES_INTERVAL_MS);
    this.#lineTimers.set(runId, timer);
  }

  fileChanged(runId: number, path: string): void {
    this.#attempt(this.#publishFile(runId, path), runId);
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of [...this.#summaryTimers.values(), ...this.#lineTimers.values()])
      clearTimeout(timer);
    this.#summaryTimers.clear();
    this.#lineTimers.clear();
  }

  async #publishRun(runId: number): Promise<void> {
    const row = await this.#store.run(runId);
    if (row === undefined) return;
    const metrics = (await this.#store.metricsOf([runId], null)).get(runId) ?? {};
    if (row.ended_at !== null) this.#summaryAt.delete(runId);
    const run = toSummary(row, metrics);
    this.#bus.publish({ type: "run-changed", run, project_id: row.project_id });
  }

  async #publishLines(runId: number): Promise<void> {
    const numDue = this.#numLinesDue.get(runId) ?? 0;
    this.#numLinesDue.delete(runId);
    const row = await this.#store.run(runId);
    if (row === undefined || numDue === 0) return;
    // Lines that came in since are told by the next timer; the last ones up to now are those that are due.
    const first = row.num_log_lines - numDue - (this.#numLinesDue.get(runId) ?? 0);
    const lines = await this.#logs.lines(runId, {
      after: Math.max(0, first),
      before: null,
      level: undefined,
      q: undefined,
      limit: Math.min(numDue, MAX_LINES_AT_ONCE),
    });
    if (lines.length === 0) return;
    const event = { type: "log-appended" as const, run_id: runId, lines };
    this.#bus.publish({ ...event, project_id: row.project_id });
  }

  async #publishFile(runId: number, path: string): Promise<void> {
    const [run, row] = await Promise.all([
      this.#store.run(runId),
      this.#store.fileByPath(runId, path),
    ]);
    if (run === undefined || row === undefined) return;
    this.#bus.publish({
      type: "files-changed",
      run_id: runId,
      file: toFile(row),
      project_id: run.project_id,
    });
  }

  /** Nobody waits for these; what a view missed it reads again. */
  #attempt(work: Promise<void>, runId: number): void {
    work.catch((error: unknown) => {
      this.#log.warn({ error, run_id: runId }, "A change of a run was not told.");
    });
  }
}
