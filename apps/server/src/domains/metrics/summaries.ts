// Hands the newest value of each series to the runs room about once a second, for its list: never a write a batch.
import type { ParsedSeries } from "./series-parser.ts";

export interface MetricSummary {
  readonly name: string;
  readonly lastValue: number;
  readonly lastStep: number | null;
  readonly lastTime: number | null;
}
export type RecordSummaries = (runId: number, rows: readonly MetricSummary[]) => Promise<void>;

const INTERVAL_MS = 1_000;
/** A list has a few columns; a run with more names shows its first ones there. */
export const MAX_SUMMARIES_A_RUN = 200;

interface Newest extends MetricSummary {
  readonly attempt: number;
  readonly lastStep: number;
}

export class Summaries {
  readonly #record: RecordSummaries;
  readonly #onError: (error: unknown, runId: number) => void;
  readonly #due = new Map<number, Map<string, Newest>>();
  /** Which names of a run are told. */
  readonly #told = new Map<number, Set<string>>();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(record: RecordSummaries, onError: (error: unknown, runId: number) => void) {
    this.#record = record;
    this.#onError = onError;
  }

  /** After a commit. */
  appended(runId: number, attempt: number, { names, columns }: ParsedSeries): void {
    const told = this.#told.get(runId) ?? new Set<string>();
    const due = this.#due.get(runId) ?? new Map<string, Newest>();
    let end = 0;
    for (let index = 0; index < names.length; index += 1) {
      end += columns.counts[index] as number;
      const name = names[index] as string;
      if (!told.has(name)) {
        if (told.size >= MAX_SUMMARIES_A_RUN) continue;
        told.add(name);
      }
      const lastStep = columns.step[end - 1] as number;
      const before = due.get(name);
      if (before !== undefined && before.attempt === attempt && before.lastStep > lastStep)
        continue;
      due.set(name, {
        name,
        attempt,
        lastStep,
        lastTime: columns.time[end - 1] as number,
        lastValue: columns.value[end - 1] as number,
      });
    }
    this.#told.set(runId, told);
    if (due.size > 0) this.#due.set(runId, due);
    this.#timer ??= setTimeout(() => this.#flushSoon(), INTERVAL_MS);
  }

  /** A run is over: what is due is told at once, and its names are forgotten. */
  ended(runId: number): void {
    this.#told.delete(runId);
    this.#flushSoon();
  }

  /** Resolves when all that is due has been told. */
  async settled(): Promise<void> {
    this.#flushSoon();
    await this.#working;
  }

  #flushSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const due = [...this.#due];
    this.#due.clear();
    this.#working = this.#working.then(async () => {
      for (const [runId, newest] of due)
        await this.#record(runId, [...newest.values()]).catch((error: unknown) =>
          this.#onError(error, runId),
        );
    });
  }
}
