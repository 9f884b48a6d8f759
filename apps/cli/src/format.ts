// How numbers, times and states are written for people. Pure.
import {
  isShareMetric,
  type JobState,
  type MetricValue,
  type RunSummary,
  trainedSeconds,
} from "@spotter/contract";
import type { Language } from "./settings.ts";

/** `0.08341`, `97.4`, `1.2e-7`: four significant digits. */
export function number(value: MetricValue | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6))
    return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

export function percent(value: MetricValue | null | undefined): string {
  return typeof value === "number" ? `${(100 * value).toFixed(1)} %` : number(value);
}

/** A metric by what its name says it is: shares in per cent, as on the pages. */
export function metric(name: string, value: MetricValue | null | undefined): string {
  const isShare = typeof value === "number" && value >= 0 && value <= 1;
  return isShare && isShareMetric(name) ? percent(value) : number(value);
}

/** `0:07`, `12:40`, `3:05:00`, `2d 03:10`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor(whole / 3600) % 24;
  const minutes = Math.floor(whole / 60) % 60;
  const two = (part: number) => String(part).padStart(2, "0");
  if (days > 0) return `${days}d ${two(hours)}:${two(minutes)}`;
  if (hours > 0) return `${hours}:${two(minutes)}:${two(whole % 60)}`;
  return `${minutes}:${two(whole % 60)}`;
}

/** How long a run trained, or has trained so far, waiting and pauses left out; empty before its start. */
export function runDuration(
  run: Pick<RunSummary, "started_at" | "trained_s" | "training_since">,
  now: number,
): string {
  const seconds = trainedSeconds(run, now);
  return seconds === null ? "" : duration(seconds);
}

/** `2026-11-21 09:30`, in the terminal's own time zone. */
export function dateTime(time: number | null): string {
  if (time === null) return "";
  const date = new Date(time * 1000);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function clockTime(time: number): string {
  return new Date(time * 1000).toTimeString().slice(0, 8);
}

const CHINESE_STATES: Readonly<Record<JobState, string>> = {
  queued: "排队中",
  starting: "启动中",
  running: "运行中",
  paused: "已暂停",
  finished: "已完成",
  failed: "失败",
  stopped: "已停止",
  cancelled: "已取消",
};

export function stateWord(state: JobState, language: Language): string {
  return language === "zh" ? CHINESE_STATES[state] : state;
}

/** `12.3 MiB` */
export function bytes(size: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, size)) / 10));
  const scaled = size / 1024 ** power;
  return `${power === 0 ? scaled : scaled.toFixed(1)} ${units[power]}`;
}
