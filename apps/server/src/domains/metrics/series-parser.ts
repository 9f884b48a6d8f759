// Reads the `series` of a metric-points event in one pass, straight into columns. Says the same yes or no as the
// contract's schema, which would take ten times as long, and besides that the columns must be of equal length.
import { MAX_METRIC_NAME_LENGTH, METRIC_NAME_PATTERN, NON_FINITE } from "@spotter/contract";
import { invalidRequest, type SpotterError } from "../../platform/errors.ts";
import type { BatchColumns } from "./codec/tail.ts";
import { columnsUneven } from "./errors.ts";

export interface ParsedSeries {
  readonly names: readonly string[];
  readonly columns: BatchColumns;
}

// One batch is parsed when it is checked and used when it is planned; the object between them is the key.
const remembered = new WeakMap<object, ParsedSeries>();
const MAX_TIME = 1e11;
// Names repeat in every batch, so a name is checked once. Bounded, because names come from outside.
const MAX_KNOWN_NAMES = 200_000;
const knownNames = new Set<string>();

/** Number of points; null when the schema must say what is wrong. */
export function checkSeries(series: unknown): number | null {
  const parsed = parse(series);
  if (!isParsed(parsed)) return null;
  remembered.set(series as object, parsed);
  return parsed.columns.step.length;
}

/** Throws `columns-uneven` or `invalid-request`. Series without points are left out. */
export function readSeries(series: unknown): ParsedSeries {
  const known = typeof series === "object" && series !== null ? remembered.get(series) : undefined;
  const parsed = known ?? parse(series);
  if (!isParsed(parsed)) throw parsed;
  return parsed;
}

function isParsed(parsed: ParsedSeries | SpotterError): parsed is ParsedSeries {
  return "columns" in parsed;
}

interface RawColumns {
  readonly step: readonly unknown[];
  readonly time: readonly unknown[];
  readonly value: readonly unknown[];
}

function parse(series: unknown): ParsedSeries | SpotterError {
  if (!isRecord(series)) return wrong("series", "must be an object");
  const names: string[] = [];
  const raw: RawColumns[] = [];
  let numPoints = 0;
  for (const name of Object.keys(series)) {
    if (!isName(name)) return wrong(`series.${name}`, "is not a metric name");
    const columns = series[name];
    if (!isColumns(columns))
      return wrong(`series.${name}`, "must have the arrays step, time and value and nothing else");
    const length = columns.step.length;
    if (columns.time.length !== length || columns.value.length !== length)
      return columnsUneven(name, columns);
    if (length === 0) continue;
    names.push(name);
    raw.push(columns);
    numPoints += length;
  }
  return fill(names, raw, numPoints);
}

function fill(
  names: readonly string[],
  raw: readonly RawColumns[],
  numPoints: number,
): ParsedSeries | SpotterError {
  const columns: BatchColumns = {
    counts: new Uint32Array(names.length),
    step: new Float64Array(numPoints),
    time: new Float64Array(numPoints),
    value: new Float64Array(numPoints),
  };
  let at = 0;
  for (let index = 0; index < names.length; index += 1) {
    const source = raw[index] as RawColumns;
    const wrongAt = copy(source, columns, at);
    if (wrongAt !== undefined)
      return wrong(
        `series.${names[index]}.${wrongAt}`,
        RULES[wrongAt.split(".")[0] as keyof RawColumns],
      );
    columns.counts[index] = source.step.length;
    at += source.step.length;
  }
  return { names, columns };
}

const RULES = {
  step: "must be a whole number between -(2^53-1) and 2^53-1",
  time: "must be Unix seconds between 0 and 1e11",
  value: `must be a number or one of ${NON_FINITE.join(", ")}`,
};

/** @returns `column.index` of the first wrong number */
function copy(source: RawColumns, to: BatchColumns, from: number): string | undefined {
  const { step, time, value } = source;
  for (let index = 0; index < step.length; index += 1) {
    const oneStep = step[index];
    if (!Number.isSafeInteger(oneStep)) return `step.${index}`;
    to.step[from + index] = oneStep as number;
    const oneTime = time[index];
    if (!(typeof oneTime === "number" && oneTime >= 0 && oneTime <= MAX_TIME))
      return `time.${index}`;
    to.time[from + index] = oneTime;
    const oneValue = value[index];
    // Infinity minus itself is NaN: JSON's 1e999 arrives as Infinity and is not a number of the contract.
    if (typeof oneValue === "number" && oneValue - oneValue === 0)
      to.value[from + index] = oneValue;
    else if (isNonFiniteName(oneValue)) to.value[from + index] = Number(oneValue);
    else return `value.${index}`;
  }
  return undefined;
}

function isNonFiniteName(value: unknown): boolean {
  return value === "NaN" || value === "Infinity" || value === "-Infinity";
}

function isColumns(columns: unknown): columns is RawColumns {
  if (!isRecord(columns)) return false;
  for (const key in columns) if (key !== "step" && key !== "time" && key !== "value") return false;
  return Array.isArray(columns.step) && Array.isArray(columns.time) && Array.isArray(columns.value);
}

function isName(name: string): boolean {
  if (knownNames.has(name)) return true;
  // The schema leaves this key out without a word; nothing is dropped in silence here.
  if (name === "__proto__" || name.length > MAX_METRIC_NAME_LENGTH) return false;
  if (!METRIC_NAME_PATTERN.test(name)) return false;
  if (knownNames.size >= MAX_KNOWN_NAMES) knownNames.clear();
  knownNames.add(name);
  return true;
}

function wrong(path: string, message: string): SpotterError {
  return invalidRequest([{ path, message }]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
