// Chart state and the address: `?x=time&smooth=0.6&y=log&from=1200&to=1900&q=grad`. Defaults are left out.
import type { YMode } from "./prepare-scale.ts";
import type { XAxis } from "./prepare-series.ts";
import { MAX_SMOOTHING } from "./prepare-smoothing.ts";

export interface ChartView {
  axis: XAxis;
  smoothing: number;
  yMode: YMode;
  /** What the x axis shows; null: everything, growing while the run is live. */
  range: [number, number] | null;
  /** Text in the names of the charts that are shown. */
  filter: string;
  /** Charts side by side; null: as many as fit. */
  columns: number | null;
  /** Also draw, faintly, points that later attempts cut off. */
  superseded: boolean;
  /** Also draw the runs that this one began in, up to where it did. */
  ancestors: boolean;
}

export const DEFAULT_VIEW: Readonly<ChartView> = {
  axis: "step",
  smoothing: 0,
  yMode: "auto",
  range: null,
  filter: "",
  columns: null,
  superseded: false,
  ancestors: true,
};

type Query = Record<string, string | null | undefined | (string | null)[]>;

/** Reads the view from an address; what cannot be understood is the default. */
export function parseView(query: Query): ChartView {
  const axis = text(query.x);
  const from = number(query.from);
  const to = number(query.to);
  const smoothing = number(query.smooth) ?? 0;
  const columns = number(query.cols);
  return {
    axis: axis === "time" || axis === "relative" ? axis : "step",
    smoothing: Math.min(MAX_SMOOTHING, Math.max(0, smoothing)),
    yMode: text(query.y) === "log" ? "log" : "auto",
    range: from !== null && to !== null && to > from ? [from, to] : null,
    filter: text(query.q) ?? "",
    columns: columns !== null && columns >= 1 && columns <= 6 ? Math.round(columns) : null,
    superseded: text(query.superseded) === "1",
    ancestors: text(query.ancestors) !== "0",
  };
}

/** The view as query values; undefined takes a key out of the address. */
export function formatView(view: ChartView): Record<string, string | undefined> {
  return {
    x: view.axis === "step" ? undefined : view.axis,
    smooth: view.smoothing === 0 ? undefined : String(view.smoothing),
    y: view.yMode === "auto" ? undefined : view.yMode,
    from: view.range === null ? undefined : short(view.range[0], view.axis),
    to: view.range === null ? undefined : short(view.range[1], view.axis),
    q: view.filter === "" ? undefined : view.filter,
    cols: view.columns === null ? undefined : String(view.columns),
    superseded: view.superseded ? "1" : undefined,
    ancestors: view.ancestors ? undefined : "0",
  };
}

/** Next smoothing of the keys `,` and `.`: twentieths, and 0.99 at the end. */
export function stepSmoothing(smoothing: number, direction: 1 | -1): number {
  const next = Math.round((smoothing + direction * 0.05) * 20) / 20;
  if (smoothing === MAX_SMOOTHING && direction === -1) return 0.95;
  return Math.min(MAX_SMOOTHING, Math.max(0, next));
}

function text(value: Query[string]): string | null {
  const first = Array.isArray(value) ? value[0] : value;
  return first ?? null;
}

function number(value: Query[string]): number | null {
  const first = text(value);
  if (first === null || first.trim() === "") return null;
  const parsed = Number(first);
  return Number.isFinite(parsed) ? parsed : null;
}

function short(value: number, axis: XAxis): string {
  return axis === "step" ? String(Math.round(value)) : String(Number(value.toFixed(2)));
}
