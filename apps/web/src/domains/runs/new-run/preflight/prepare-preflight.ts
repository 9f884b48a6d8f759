// What the pre-flight panel shows, made of the report: the bar of memory, the two curves, the spectrogram's pixels. Pure.
import {
  decodeMetricValue,
  type MemoryPartName,
  type MetricValue,
  type PreflightCheck,
  type PreflightFinding,
  type PreflightReport,
} from "@spotter/contract";
import type { Config } from "../prepare-values.ts";

export const CHECKS: readonly PreflightCheck[] = [
  "build",
  "samples",
  "data",
  "initial-loss",
  "memory",
  "time",
  "learning-rate",
  "overfit",
];

/** Those that train for a while: they are made on demand only. */
const TRIALS: readonly PreflightCheck[] = ["learning-rate", "overfit"];

/** 0–1 of the checks of this look. */
export function progressOf(report: Pick<PreflightReport, "done"> | null, isWhole: boolean): number {
  const numChecks = isWhole ? CHECKS.length : CHECKS.length - TRIALS.length;
  return report === null ? 0 : Math.min(1, report.done.length / numChecks);
}

/** What the free looks see: everything but the rate, which only the trials try. */
export function freeSubject(recipe: string | undefined, config: Config): string {
  const { learning_rate: _rate, ...rest } = config;
  return JSON.stringify([recipe, rest]);
}

/** What is not in order first; the rest is folded behind it. The time is a fact, and stands with the facts. */
export function splitFindings(findings: readonly PreflightFinding[]): {
  troubles: PreflightFinding[];
  fine: PreflightFinding[];
  time: PreflightFinding | null;
} {
  const isTime = ({ code, severity }: PreflightFinding) => code === "time" && severity === "ok";
  return {
    troubles: findings.filter(({ severity }) => severity !== "ok"),
    fine: findings.filter((finding) => finding.severity === "ok" && !isTime(finding)),
    time: findings.find(isTime) ?? null,
  };
}

/** `Time: about 2 min for …` beside a label of its own: what it says behind the colon. */
export function withoutLabel(sentence: string): string {
  return sentence.replace(/^[^:：]+[:：]\s*/, "");
}

export interface MemorySegment {
  readonly name: MemoryPartName;
  readonly bytes: number;
  /** Of the bar's whole length. */
  readonly share: number;
  /** Series colour. */
  readonly slot: number;
}

const SLOTS: readonly MemoryPartName[] = [
  "weights",
  "gradients",
  "optimizer",
  "activations",
  "average",
  "best",
  "batch",
  "process",
];

/** The bar is as long as what is there, or as what is needed where that is more. */
export function memorySegments(memory: NonNullable<PreflightReport["memory"]>): {
  segments: MemorySegment[];
  whole: number;
  /** Of what is there; null where that is unknown. */
  usedShare: number | null;
} {
  const copies = memory.device === "cuda" ? 1 : memory.processes;
  const whole = Math.max(1, memory.total_bytes, memory.available_bytes ?? 0);
  return {
    whole,
    usedShare:
      memory.available_bytes === null
        ? null
        : memory.total_bytes / Math.max(1, memory.available_bytes),
    segments: memory.parts.map(({ name, bytes }) => ({
      name,
      bytes: bytes * copies,
      share: (bytes * copies) / whole,
      slot: SLOTS.indexOf(name),
    })),
  };
}

export interface SmallCurve {
  readonly x: readonly number[];
  /** Null where the loss was no number: uPlot breaks the line there. */
  readonly lines: readonly (readonly (number | null)[])[];
  readonly range: readonly [number, number];
  /** Steps or rates at which the loss was no number. */
  readonly numNonFinite: number;
  readonly isLogX: boolean;
  /** A vertical line. */
  readonly mark: number | null;
}

/** Everything above this many times the first loss only flattens the rest; it is cut at the top. */
const CEILING = 2;

export function rateCurve(test: NonNullable<PreflightReport["learning_rate"]>): SmallCurve {
  return {
    x: test.learning_rates,
    lines: [finite(test.loss), finite(test.smoothed)],
    range: rangeOf([test.loss, test.smoothed]),
    numNonFinite: countNonFinite(test.loss),
    isLogX: true,
    mark: test.suggested,
  };
}

export function overfitCurve(test: NonNullable<PreflightReport["overfit"]>): SmallCurve {
  return {
    x: test.steps,
    lines: [finite(test.loss)],
    range: rangeOf([test.loss]),
    numNonFinite: countNonFinite(test.loss),
    isLogX: false,
    mark: null,
  };
}

function finite(values: readonly MetricValue[]): (number | null)[] {
  return values.map((value) => (typeof value === "number" ? value : null));
}

function countNonFinite(values: readonly MetricValue[]): number {
  return values.filter((value) => !Number.isFinite(decodeMetricValue(value))).length;
}

function rangeOf(columns: readonly (readonly MetricValue[])[]): [number, number] {
  const numbers = columns.flatMap(finite).filter((value): value is number => value !== null);
  if (numbers.length === 0) return [0, 1];
  const first = numbers[0] ?? 0;
  const top = Math.min(Math.max(...numbers), CEILING * Math.abs(first) || Number.POSITIVE_INFINITY);
  const bottom = Math.min(...numbers, top);
  const margin = (top - bottom || Math.abs(top) || 1) * 0.06;
  return [Math.max(bottom - margin, bottom >= 0 ? 0 : bottom - margin), top + margin];
}

/** Anchors of viridis (van der Walt, Smith 2015); between them the colours are mixed evenly. */
const VIRIDIS: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [65, 68, 135],
  [42, 120, 142],
  [34, 168, 132],
  [122, 209, 81],
  [253, 231, 37],
];

/** RGBA of a spectrogram: time to the right, the lowest band at the bottom. */
export function spectrogramPixels(rows: readonly (readonly number[])[]): {
  width: number;
  height: number;
  pixels: Uint8ClampedArray;
} {
  const width = rows.length;
  const height = rows[0]?.length ?? 0;
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let moment = 0; moment < width; moment++)
    for (let band = 0; band < height; band++) {
      const colour = viridis(rows[moment]?.[band] ?? 0);
      pixels.set([...colour, 255], ((height - 1 - band) * width + moment) * 4);
    }
  return { width, height, pixels };
}

export function viridis(value: number): [number, number, number] {
  const place = Math.min(1, Math.max(0, value)) * (VIRIDIS.length - 1);
  const low = VIRIDIS[Math.floor(place)] ?? [0, 0, 0];
  const high = VIRIDIS[Math.ceil(place)] ?? low;
  const part = place - Math.floor(place);
  const mixed = ([0, 1, 2] as const).map((channel) =>
    Math.round(low[channel] + (high[channel] - low[channel]) * part),
  );
  return [mixed[0] ?? 0, mixed[1] ?? 0, mixed[2] ?? 0];
}

/** The outline of an envelope as an SVG path in a box of `width` × `height`, mirrored at the middle. */
export function envelopePath(envelope: readonly number[], width: number, height: number): string {
  if (envelope.length === 0) return "";
  const middle = height / 2;
  const at = (index: number) => ((index + 0.5) / envelope.length) * width;
  const point = (index: number, sign: 1 | -1) =>
    `${at(index).toFixed(1)} ${(middle - sign * Math.max(0.5, (envelope[index] ?? 0) * middle)).toFixed(1)}`;
  const top = envelope.map((_, index) => point(index, 1));
  const bottom = envelope.map((_, index) => point(index, -1)).reverse();
  return `M${[...top, ...bottom].join("L")}Z`;
}

/** How a token is written: ends of lines and tabs get a sign; spaces show by the token's tint. */
export function tokenText(token: string): string {
  return token.replaceAll("\n", "⏎").replaceAll("\t", "⇥");
}
