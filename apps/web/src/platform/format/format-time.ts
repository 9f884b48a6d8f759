// Writes durations and moments in the language of the page.
import { MISSING } from "./format-number.ts";

const UNITS = {
  en: { ms: "ms", s: "s", min: "min", wholeMin: "min", h: "h", d: "d" },
  // A minute that stands alone is not called 分: that is a point of a score, too.
  zh: { ms: "毫秒", s: "秒", min: "分", wholeMin: "分钟", h: "小时", d: "天" },
} as const;

/** The words of time; the only place that has them. */
export function timeUnits(locale: string): Record<keyof (typeof UNITS)["en"], string> {
  return locale.startsWith("zh") ? UNITS.zh : UNITS.en;
}

/**
 * A duration in its two largest units.
 * @example formatDuration(7440, "en") // "2 h 04 min"
 */
export function formatDuration(seconds: number | null | undefined, locale: string): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return MISSING;
  if (seconds < 0) return MISSING;
  const unit = timeUnits(locale);
  if (seconds < 10) return `${seconds.toFixed(1)} ${unit.s}`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} ${unit.s}`;
  if (whole < 3600)
    return `${Math.floor(whole / 60)} ${unit.min} ${twoDigits(whole % 60)} ${unit.s}`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60)
    return `${Math.floor(minutes / 60)} ${unit.h} ${twoDigits(minutes % 60)} ${unit.min}`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} ${unit.d} ${twoDigits(hours % 24)} ${unit.h}`;
}

/** What is left, without false precision. @example formatRemaining(310, "en") // "5 min" */
export function formatRemaining(seconds: number | null | undefined, locale: string): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return MISSING;
  const unit = timeUnits(locale);
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} ${unit.s}`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} ${unit.wholeMin}` : formatDuration(60 * minutes, locale);
}

/** Something short, with three digits. @example formatLatency(0.83, "en") // "0.83 ms" */
export function formatLatency(milliseconds: number | null | undefined, locale: string): string {
  if (milliseconds === null || milliseconds === undefined) return MISSING;
  if (milliseconds >= 10_000) return formatDuration(milliseconds / 1000, locale);
  const unit = timeUnits(locale);
  return milliseconds < 1000
    ? `${Number(milliseconds.toPrecision(3))} ${unit.ms}`
    : `${(milliseconds / 1000).toPrecision(3)} ${unit.s}`;
}

/** `14:52`, today's moments only. */
export function formatClock(time: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  }).format(time * 1000);
}

/** The whole moment, for hovers and the audit log. */
export function formatMoment(time: number | null | undefined, locale: string): string {
  if (time === null || time === undefined) return MISSING;
  const text = new Intl.DateTimeFormat(locale, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  }).format(time * 1000);
  return spaced(text);
}

/** `3 min. ago`, `2 天前`; beyond a week the date. */
export function formatAgo(time: number | null | undefined, now: number, locale: string): string {
  if (time === null || time === undefined) return MISSING;
  const seconds = time - now;
  const size = Math.abs(seconds);
  const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  const inUnits = (unit: Intl.RelativeTimeFormatUnit, unitSeconds: number): string =>
    spaced(words.format(Math.round(seconds / unitSeconds), unit));
  if (size < 5) return words.format(0, "second");
  if (size < 60) return inUnits("second", 1);
  if (size < 3600) return inUnits("minute", 60);
  if (size < 86_400) return inUnits("hour", 3600);
  if (size < 7 * 86_400) return inUnits("day", 86_400);
  return formatDate(time, locale);
}

/** A day, the year only where it is not this one. */
export function formatDate(time: number, locale: string): string {
  const sameYear = new Date(time * 1000).getFullYear() === new Date().getFullYear();
  const text = new Intl.DateTimeFormat(locale, {
    ...(sameYear ? {} : { year: "numeric" }),
    month: "short",
    day: "numeric",
  }).format(time * 1000);
  return spaced(text);
}

/** Intl writes `3分钟前`; between Chinese and digits belongs a space. */
function spaced(text: string): string {
  return text.replace(/(\d)(?=[\u4e00-\u9fff])/g, "$1 ").replace(/([\u4e00-\u9fff])(?=\d)/g, "$1 ");
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
