// The curves of one chart and the windows that each of them follows.
import type { SeriesWindow } from "@spotter/contract";
import type { ChartPage } from "./chart-page.ts";
import type { ChartRun } from "./chart-run.ts";
import type { ChartLine } from "./prepare-chart.ts";
import { prepareSeries, windowUntil } from "./prepare-series.ts";
import { LEAD_IN } from "./prepare-smoothing.ts";
import { WindowFollower } from "./window-follower.ts";
import { maxPointsFor, type WindowRequest } from "./window-request.ts";

/** One curve of a chart: a metric of a run. */
export interface LineSpec {
  run: ChartRun;
  name: string;
}

interface Followed {
  spec: LineSpec;
  faint: boolean;
  follower: WindowFollower;
  /** The whole series while zoomed and smoothed: its spacing is the smoothing's unit. */
  overview: WindowFollower | null;
}

/** Room that the y axis and the right padding take. */
const BESIDE_PLOT_PX = 76;

export class ChartLines {
  readonly #page: ChartPage;
  readonly #onChange: () => void;
  #followed: Followed[] = [];

  /** @param onChange a window has come or has changed */
  constructor(page: ChartPage, onChange: () => void) {
    this.#page = page;
    this.#onChange = onChange;
  }

  /** Asks for what these curves need in the page's present view. */
  follow(specs: readonly LineSpec[], width: number): void {
    const { smoothing, range, superseded } = this.#page.view.value;
    const wanted = specs.flatMap((spec) => [
      ...(superseded && spec.run.untilStep === undefined ? [{ spec, faint: true }] : []),
      { spec, faint: false },
    ]);
    const next = wanted.map(({ spec, faint }) => this.#known(spec, faint));
    for (const old of this.#followed) if (!next.includes(old)) release(old);
    this.#followed = next;
    const maxPoints = maxPointsFor(width - BESIDE_PLOT_PX);
    for (const one of next) {
      const isWhole = range === null || fitsWhole(one.follower.window, maxPoints);
      one.follower.follow(this.#request(one, maxPoints, isWhole));
      if (smoothing > 0 && !isWhole && !one.faint) {
        one.overview ??= new WindowFollower(this.#page.store, this.#onChange);
        one.overview.follow(this.#request(one, maxPoints, true));
      } else {
        one.overview?.release();
        one.overview = null;
      }
    }
  }

  /** The first failure among the reads; null when all is well. */
  get failure(): unknown {
    return this.#followed.find(({ follower }) => follower.error !== null)?.follower.error ?? null;
  }

  /** The curves that can be painted now, and the unit of each one's smoothing. */
  lines(): { lines: ChartLine[]; units: Map<string, number> } {
    const lines: ChartLine[] = [];
    const units = new Map<string, number>();
    for (const { spec, faint, follower, overview } of this.#followed) {
      const { window } = follower;
      if (window === null) continue;
      const id = `${spec.run.id}|${spec.name}${faint ? "|faint" : ""}`;
      const { slot, name, startedAt, untilStep } = spec.run;
      const ancestor = untilStep !== undefined;
      const shown = ancestor ? windowUntil(window, untilStep) : window;
      lines.push({ id, label: name, slot, faint, ancestor, window: shown, startedAt });
      if (!overview?.window) continue;
      const whole = prepareSeries(overview.window.buckets, this.#page.view.value.axis, startedAt);
      units.set(id, whole.medianSpacing);
    }
    return { lines, units };
  }

  release(): void {
    for (const one of this.#followed) release(one);
    this.#followed = [];
  }

  #known(spec: LineSpec, faint: boolean): Followed {
    const known = this.#followed.find(
      (one) =>
        one.spec.run.id === spec.run.id && one.spec.name === spec.name && one.faint === faint,
    );
    if (known !== undefined) {
      known.spec = spec;
      return known;
    }
    const follower = new WindowFollower(this.#page.store, this.#onChange);
    return { spec, faint, follower, overview: null };
  }

  #request({ spec, faint }: Followed, maxPoints: number, whole: boolean): WindowRequest {
    const { axis, range, smoothing } = this.#page.view.value;
    const window = whole ? null : range;
    const offset = axis === "relative" ? spec.run.startedAt : 0;
    const lead = window === null || smoothing === 0 ? 0 : (window[1] - window[0]) * LEAD_IN;
    return {
      runId: spec.run.id,
      name: spec.name,
      x: axis === "step" ? "step" : "time",
      from: window === null ? null : window[0] + offset - lead,
      to: endOf(window === null ? null : window[1] + offset, spec.run.untilStep),
      maxPoints,
      superseded: faint,
    };
  }
}

/** Ancestors are drawn by step only, so a bound of theirs is one of the request's. */
function endOf(to: number | null, untilStep: number | undefined): number | null {
  if (untilStep === undefined) return to;
  return to === null ? untilStep : Math.min(to, untilStep);
}

/** A series with no more points than buckets is exact as a whole, and its line goes on beyond the edges of a zoom. */
function fitsWhole(window: SeriesWindow | null, maxPoints: number): boolean {
  return window !== null && window.total_points <= maxPoints;
}

function release(one: Followed): void {
  one.follower.release();
  one.overview?.release();
}
