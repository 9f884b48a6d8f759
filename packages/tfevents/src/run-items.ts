// What comes out of the event files of one run, and how it is gathered: scalar points of one tag are
// put together in columns, everything else keeps its place between them.
import type { EventFileErrorCode } from "./errors.ts";
import type { Experiment, HyperparameterValue, SessionStatus } from "./hparams.ts";
import type { ScalarPoint } from "./scalars.ts";

export type RunItem =
  | ScalarColumns
  | {
      kind: "hparams";
      hyperparameters: Record<string, HyperparameterValue>;
      groupName: string | null;
      startTime: number | null;
    }
  | { kind: "experiment"; experiment: Experiment }
  | { kind: "session-end"; status: SessionStatus; endTime: number | null }
  /**
   * A later file begins again at `step`: points that came before with this step or a later one were
   * written by a process that is gone. Everything after this item belongs to the new attempt.
   */
  | { kind: "restart"; file: string; step: number }
  /** A file became shorter, so it was cut or replaced; it is read again from its start. */
  | { kind: "file-reset"; file: string }
  /** So many values of a kind that is not taken from event files: "histograms", "images", … */
  | { kind: "skipped"; content: string; count: number }
  | { kind: "problem"; file: string; offset: number; code: ProblemCode; message: string };

/** The points of one tag in the order of the file; the three columns have the same length. */
export interface ScalarColumns {
  kind: "scalars";
  tag: string;
  step: number[];
  /** Unix seconds. */
  time: number[];
  value: number[];
}

export type ProblemCode = EventFileErrorCode | "unreadable";

/** Gathers items; points are in columns only up to the next item that changes their meaning. */
export class ItemCollector {
  readonly #items: RunItem[] = [];
  readonly #columns = new Map<string, ScalarColumns>();
  readonly #skipped = new Map<string, number>();

  scalar(point: ScalarPoint): void {
    const columns = this.#columnsOf(point.tag);
    columns.step.push(point.step);
    columns.time.push(point.wallTime);
    columns.value.push(point.value);
  }

  skipped(content: string): void {
    this.#skipped.set(content, (this.#skipped.get(content) ?? 0) + 1);
  }

  add(item: RunItem): void {
    this.#columns.clear();
    this.#items.push(item);
  }

  finish(): RunItem[] {
    for (const [content, count] of this.#skipped) {
      this.#items.push({ kind: "skipped", content, count });
    }
    return this.#items;
  }

  #columnsOf(tag: string): ScalarColumns {
    const known = this.#columns.get(tag);
    if (known) return known;
    const columns: ScalarColumns = { kind: "scalars", tag, step: [], time: [], value: [] };
    this.#columns.set(tag, columns);
    this.#items.push(columns);
    return columns;
  }
}
