// What a window shows of a series: which range of steps or times, and whether what later attempts superseded.
import type { TailStretch } from "./chunk-reader.ts";
import type { Rollup } from "./codec/rollup.ts";
import type { ChunkRow } from "./store.ts";

export interface WindowRequest {
  readonly x: "step" | "time";
  readonly from: number | null;
  readonly to: number | null;
  readonly maxPoints: number;
  readonly superseded: boolean;
}
/** How much of a block is shown. */
export type Share = "all" | "none" | "some";

/** Decides which blocks and points the window shows. */
export class WindowScope {
  readonly #isStep: boolean;
  readonly #from: number;
  readonly #to: number;
  readonly #superseded: boolean;
  readonly #cutOf: (attempt: number) => number;
  // Asked for each point; points of one attempt stand together.
  #lastAttempt = Number.NaN;
  #lastCut = 0;

  /** @param cutOf points of this attempt at this step or beyond it are superseded */
  constructor(request: WindowRequest, cutOf: (attempt: number) => number) {
    this.#isStep = request.x === "step";
    this.#from = request.from ?? Number.NEGATIVE_INFINITY;
    this.#to = request.to ?? Number.POSITIVE_INFINITY;
    this.#superseded = request.superseded;
    this.#cutOf = cutOf;
  }

  share(attempt: number, block: Rollup, at: number): Share {
    const minStep = block.minStep[at] as number;
    const maxStep = block.maxStep[at] as number;
    const minX = this.#isStep ? minStep : (block.minTime[at] as number);
    const maxX = this.#isStep ? maxStep : (block.maxTime[at] as number);
    if (maxX < this.#from || minX > this.#to) return "none";
    const cut = this.#cut(attempt);
    const isHidden = this.#superseded ? maxStep < cut : minStep >= cut;
    if (isHidden) return "none";
    const isShown = this.#superseded ? minStep >= cut : maxStep < cut;
    return isShown && minX >= this.#from && maxX <= this.#to ? "all" : "some";
  }

  shows(attempt: number, step: number, time: number): boolean {
    const x = this.#isStep ? step : time;
    return x >= this.#from && x <= this.#to && step >= this.#cut(attempt) === this.#superseded;
  }

  #cut(attempt: number): number {
    if (attempt !== this.#lastAttempt) {
      this.#lastAttempt = attempt;
      this.#lastCut = this.#cutOf(attempt);
    }
    return this.#lastCut;
  }

  /** Place of a point on the window's axis. */
  x(step: number, time: number): number {
    return this.#isStep ? step : time;
  }

  /** From the first to the last point that may be shown. */
  domain(chunks: readonly ChunkRow[], tail: readonly TailStretch[]): [from: number, to: number] {
    let least = Number.POSITIVE_INFINITY;
    let greatest = Number.NEGATIVE_INFINITY;
    const widen = (x: number) => {
      if (x < least) least = x;
      if (x > greatest) greatest = x;
    };
    for (const chunk of chunks) this.rangeOf(chunk).forEach(widen);
    for (const { attempt, points } of tail)
      for (let at = 0; at < points.step.length; at += 1) {
        const step = points.step[at] as number;
        const time = points.time[at] as number;
        if (this.shows(attempt, step, time)) widen(this.x(step, time));
      }
    return [Math.max(least, this.#from), Math.min(greatest, this.#to)];
  }

  rangeOf(chunk: ChunkRow): [from: number, to: number] {
    return this.#isStep ? [chunk.min_step, chunk.max_step] : [chunk.minTime, chunk.maxTime];
  }
}
