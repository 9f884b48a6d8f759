// Writes the ticks of the axes: few, short, and told apart from each other.
import {
  formatAxisCount,
  formatCount,
  formatNamedMetric,
  timeUnits,
} from "../../platform/format/index.ts";
import type { XAxis } from "./prepare-series.ts";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** Distances between ticks that a clock reader expects, in seconds. */
export const TIME_INCREMENTS = [
  ...[0.001, 0.01, 0.1, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((days) => days * DAY),
];

/** Whole steps only: half a step does not exist. */
export const STEP_INCREMENTS = Array.from({ length: 13 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

/** Ticks of the x axis. */
export function formatXTicks(
  axis: XAxis,
  ticks: readonly number[],
  increment: number,
  locale: string,
): string[] {
  if (axis === "step") return ticks.map(formatAxisCount);
  if (axis === "relative") return ticks.map((tick) => formatElapsed(tick, increment, locale));
  const format = new Intl.DateTimeFormat(locale, {
    ...(increment >= DAY
      ? { month: "short", day: "numeric" }
      : { hour: "2-digit", minute: "2-digit", hour12: false }),
    ...(increment < MINUTE ? { second: "2-digit" } : {}),
  });
  return ticks.map((tick) => format.format(tick * 1000));
}

/** Ticks of the y axis; shares in per cent, as the values in the titles are. */
export function formatYTicks(name: string, ticks: readonly number[], increment: number): string[] {
  return ticks.map((tick) =>
    isPercent(name) && Math.abs(tick) <= 10
      ? `${fixed(tick * 100, increment * 100)} %`
      : formatYTick(tick, increment),
  );
}

/** One tick of a linear axis: as many decimals as tell it from its neighbour. */
export function formatYTick(tick: number, increment: number): string {
  const size = Math.abs(tick);
  if (size >= 10_000) return formatAxisCount(tick);
  if (tick !== 0 && increment < 1e-4) {
    const digits = Math.max(0, Math.floor(Math.log10(size)) - Math.floor(Math.log10(increment)));
    return tick.toExponential(Math.min(digits, 3)).replace("e+", "e");
  }
  return fixed(tick, increment);
}

/** Ticks of a log or symlog axis. */
export function formatDecades(name: string, ticks: readonly number[]): string[] {
  return ticks.map((tick) =>
    isPercent(name) && tick !== 0 ? `${formatDecade(tick * 100)} %` : formatDecade(tick),
  );
}

/** One power of ten, or what stands for one. */
export function formatDecade(tick: number): string {
  if (tick === 0) return "0";
  const size = Math.abs(tick);
  if (size >= 1e-3 && size < 10_000) return String(Number(tick.toPrecision(3)));
  return tick.toExponential(Number(tick.toPrecision(1)) === tick ? 0 : 1).replace("e+", "e");
}

function isPercent(name: string): boolean {
  return formatNamedMetric(name, 0.5).endsWith("%");
}

/** A place on the x axis in full, for tips and tables. */
export function formatPlace(axis: XAxis, place: number, locale: string): string {
  if (axis === "step") return formatCount(Math.round(place));
  if (axis === "relative") return formatElapsed(place, place < 10 * MINUTE ? 0.1 : 1, locale);
  return new Intl.DateTimeFormat(locale, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  }).format(place * 1000);
}

function formatElapsed(seconds: number, increment: number, locale: string): string {
  const unit = timeUnits(locale);
  if (Math.abs(seconds) < MINUTE && increment < MINUTE)
    return `${fixed(seconds, increment)} ${unit.s}`;
  const sign = seconds < 0 ? "−" : "";
  const whole = Math.round(Math.abs(seconds));
  if (whole === 0) return "0";
  const hours = Math.floor(whole / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const rest = whole % MINUTE;
  if (hours >= 48) return `${sign}${Math.round(whole / DAY)} ${unit.d}`;
  if (hours > 0)
    return `${sign}${hours} ${unit.h}${minutes > 0 ? ` ${twoDigits(minutes)} ${unit.min}` : ""}`;
  if (rest === 0) return `${sign}${minutes} ${unit.wholeMin}`;
  return `${sign}${minutes} ${unit.min} ${twoDigits(rest)} ${unit.s}`;
}

function fixed(value: number, increment: number): string {
  const text = value.toFixed(decimalsOf(increment));
  return text.startsWith("-") && Number(text) !== 0 ? `−${text.slice(1)}` : text.replace("-", "");
}

/** Decimals that a step needs: one for 0.5, two for 0.25. */
function decimalsOf(increment: number): number {
  for (let decimals = 0; decimals < 6; decimals++) {
    const scaled = increment * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * Math.max(1, scaled) && scaled >= 0.5)
      return decimals;
  }
  return 6;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
