// Decides what the control tab makes of what was typed: which values would change, and which of them cannot be. Pure.
import type { LiveValues, RunCommand, RunValue } from "@spotter/contract";
import { formatCount, formatLearningRate, formatMetric } from "../../../platform/format/index.ts";

/** What a person has typed, by name: text, or null for "off"; nothing for a value that is left as it is. */
export type Typed = Readonly<Record<string, string | null>>;

export interface Wish {
  values: LiveValues;
  /** What is wrong, by name: a key of `runPage.values.problems`. */
  problems: Record<string, "number" | "whole" | "bounds">;
}

export function wishOf(values: readonly RunValue[], typed: Typed): Wish {
  const wish: Wish = { values: {}, problems: {} };
  for (const value of values) {
    const text = typed[value.name];
    if (text === undefined || text?.trim() === "") continue;
    const wanted = text === null ? null : Number(text.trim().replace(",", "."));
    const problem = wanted === null ? null : problemOf(value, wanted);
    if (problem !== null) wish.problems[value.name] = problem;
    else if (wanted !== value.value) wish.values[value.name] = wanted;
  }
  return wish;
}

function problemOf(value: RunValue, wanted: number): Wish["problems"][string] | null {
  if (!Number.isFinite(wanted)) return "number";
  if (value.kind === "integer" && !Number.isInteger(wanted)) return "whole";
  const { minimum, above, maximum, below } = value;
  const low = minimum === null || wanted >= minimum;
  const lower = above === null || wanted > above;
  const high = maximum === null || wanted <= maximum;
  const higher = below === null || wanted < below;
  return low && lower && high && higher ? null : "bounds";
}

/** `0 < … ≤ 10`; empty where there are none. */
export function boundsText({ minimum, above, maximum, below }: RunValue): string {
  const low =
    above !== null ? `${bound(above)} < ` : minimum !== null ? `${bound(minimum)} ≤ ` : "";
  const high =
    below !== null ? ` < ${bound(below)}` : maximum !== null ? ` ≤ ${bound(maximum)}` : "";
  return low === "" && high === "" ? "" : `${low}…${high}`;
}

function bound(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : String(value);
}

/** A value as people read it. */
export function writeValue(name: string, value: number | null, wordOfNull: string): string {
  if (value === null) return wordOfNull;
  if (name === "learning_rate") return formatLearningRate(value);
  if (Number.isInteger(value)) return formatCount(value);
  // As it was given: a config's 0.01 is no measurement with four digits.
  return Math.abs(value) < 1e-3 ? formatMetric(value) : String(Number(value.toPrecision(6)));
}

/** `learning_rate 3.0e-3 → 1.0e-3`, one a value; before the worker's answer, only what was asked for. */
export function changeTexts(
  { change, values }: RunCommand,
  wordOfNull: (name: string) => string,
): string[] {
  return Object.entries(change?.after ?? values ?? {}).map(([name, value]) => {
    const after = writeValue(name, value, wordOfNull(name));
    if (change === null) return `${name} → ${after}`;
    return `${name} ${writeValue(name, change.before[name] ?? null, wordOfNull(name))} → ${after}`;
  });
}
