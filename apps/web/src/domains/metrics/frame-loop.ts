// The page's one animation loop: takes in what arrived, then paints dirty visible charts within 8 ms a frame.

/** Something that can paint itself; it is asked only while it is visible. */
export interface Painter {
  readonly visible: boolean;
  paint(): void;
}

export interface FrameClock {
  requestFrame(callback: () => void): void;
  now(): number;
}

const PAINT_BUDGET_MS = 8;
/** Handing a painted canvas to the screen costs the browser more than our script does; the clock here cannot see it. */
const MAX_PAINTS = 2;
/** A frame that comes later than this after the one before means that the browser is behind, with scrolling too. */
const LATE_MS = 20;
/** Then so many frames are left to it before the next chart is painted. */
const MAX_SKIPPED = 3;

export class FrameLoop {
  readonly #clock: FrameClock;
  readonly #onError: (error: unknown) => void;
  readonly #dirty = new Set<Painter>();
  readonly #jobs = new Set<() => void>();
  #scheduled = false;
  /** Start of the frame before, while frames follow each other; else null. */
  #lastStart: number | null = null;
  #numSkipped = 0;

  /** @param onError is told when a chart fails to paint, so that one cannot stop the others */
  constructor(clock: FrameClock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Runs `job` once at the next frame, before painting. */
  soon(job: () => void): void {
    this.#jobs.add(job);
    this.#schedule();
  }

  /** Paints at the next frame that has time left for it. */
  markDirty(painter: Painter): void {
    this.#dirty.add(painter);
    this.#schedule();
  }

  forget(painter: Painter): void {
    this.#dirty.delete(painter);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.requestFrame(() => this.#frame());
  }

  #frame(): void {
    this.#scheduled = false;
    const start = this.#clock.now();
    const jobs = [...this.#jobs];
    this.#jobs.clear();
    for (const job of jobs) this.#attempt(job);
    if (!this.#mustYield(start)) this.#paint(start);
    const isBusy = this.#dirty.size > 0 || this.#jobs.size > 0;
    this.#lastStart = isBusy ? start : null;
    if (isBusy) this.#schedule();
  }

  #mustYield(start: number): boolean {
    const isLate = this.#lastStart !== null && start - this.#lastStart > LATE_MS;
    if (isLate && this.#numSkipped < MAX_SKIPPED) {
      this.#numSkipped++;
      return true;
    }
    this.#numSkipped = 0;
    return false;
  }

  #paint(start: number): void {
    let numPainted = 0;
    // A Set keeps the order of arrival: what was deferred in this frame is first in the next.
    for (const painter of [...this.#dirty]) {
      const isOverBudget = this.#clock.now() - start >= PAINT_BUDGET_MS;
      if (numPainted === MAX_PAINTS || (numPainted > 0 && isOverBudget)) break;
      this.#dirty.delete(painter);
      // Nobody sees it: whoever makes it visible marks it dirty again.
      if (!painter.visible) continue;
      this.#attempt(() => painter.paint());
      numPainted++;
    }
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onError(error);
    }
  }
}
