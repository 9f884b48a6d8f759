// Chooses how the y axis is spread: linear, logarithmic, or symlog where zeros or signs forbid a logarithm.
import type { Values } from "./prepare-series.ts";

export type YMode = "auto" | "log";

export type YScale =
  | { kind: "linear" }
  | { kind: "log" }
  /** asinh: linear below the threshold, logarithmic above, on both sides of zero. */
  | { kind: "symlog"; threshold: number };

/** No value is ever dropped: with a zero or a negative one, a wished logarithm becomes a symlog. */
export function chooseScale(mode: YMode, columns: readonly Values[]): YScale {
  if (mode === "auto") return { kind: "linear" };
  const magnitudes: number[] = [];
  let allPositive = true;
  for (const column of columns)
    for (const value of column) {
      if (value === null || value === undefined) continue;
      if (value <= 0) allPositive = false;
      if (value !== 0) magnitudes.push(Math.abs(value));
    }
  if (allPositive && magnitudes.length > 0) return { kind: "log" };
  if (magnitudes.length === 0) return { kind: "linear" };
  magnitudes.sort((a, b) => a - b);
  const quantile = magnitudes[Math.floor((magnitudes.length - 1) * 0.01)] ?? 1;
  // A power of ten: it can be read from the label, and live points do not move the whole scale each time.
  return { kind: "symlog", threshold: 10 ** Math.floor(Math.log10(quantile)) };
}

/** The scale's own measure, in which margins are taken. */
export function forward(scale: YScale, value: number): number {
  if (scale.kind === "log") return Math.log10(value);
  return scale.kind === "symlog" ? Math.asinh(value / scale.threshold) : value;
}

/** The way back from `forward`. */
export function backward(scale: YScale, measure: number): number {
  if (scale.kind === "log") return 10 ** measure;
  return scale.kind === "symlog" ? Math.sinh(measure) * scale.threshold : measure;
}

/** Ticks of a log or symlog axis: powers of ten, thinned until at most `most` remain. */
export function decadeTicks(scale: YScale, min: number, max: number, most: number): number[] {
  const ticks: number[] = [];
  const smallest = scale.kind === "symlog" ? scale.threshold : Math.max(min, Number.MIN_VALUE);
  const from = Math.ceil(Math.log10(smallest) - 1e-9);
  const largest = Math.max(Math.abs(min), Math.abs(max), smallest);
  const to = Math.floor(Math.log10(largest) + 1e-9);
  const stride = Math.max(1, Math.ceil((to - from + 1) / Math.max(1, most)));
  for (let power = from; power <= to; power += stride) ticks.push(10 ** power);
  if (scale.kind === "symlog") {
    if (min < 0) ticks.unshift(...ticks.map((tick) => -tick).reverse());
    ticks.push(0);
    ticks.sort((a, b) => a - b);
  }
  const inside = spread(
    ticks.filter((tick) => tick >= min && tick <= max),
    scale,
    (forward(scale, max) - forward(scale, min)) / (2 * Math.max(1, most)),
  );
  // Within one decade powers of ten say nothing: plain numbers spread evenly in the scale's measure do.
  return inside.length >= 2 ? inside : evenTicks(scale, min, max, Math.min(most, 4));
}

/** Leaves out ticks that would touch their neighbour; zero is kept, for it is where the signs part. */
function spread(ticks: readonly number[], scale: YScale, distance: number): number[] {
  const place = (tick: number) => forward(scale, tick);
  const zero = ticks.includes(0) ? [0] : [];
  const kept = [...zero];
  for (const tick of ticks)
    if (kept.every((other) => Math.abs(place(tick) - place(other)) >= distance)) kept.push(tick);
  return kept.sort((a, b) => a - b);
}

function evenTicks(scale: YScale, min: number, max: number, most: number): number[] {
  const low = forward(scale, min);
  const high = forward(scale, max);
  const ticks = Array.from({ length: most }, (_, index) =>
    Number(backward(scale, low + ((index + 0.5) / most) * (high - low)).toPrecision(2)),
  );
  return [...new Set(ticks)].filter((tick) => tick >= min && tick <= max);
}
