// The config that a form stands for: what differs, what is wrong, and its JSON. Pure.
import {
  type ConfigChange,
  contradictionsOf,
  nearestName,
  nullWordOf,
  recognise,
} from "@spotter/contract";
import { ISSUES } from "../../../platform/server-sentences.ts";
import type { Config, FormField, Value } from "./prepare-fields.ts";
import { kindOf, sourceProblem } from "./prepare-sources.ts";
import type { Problem } from "./prepare-values.ts";

export function isSame(first: Value | undefined, second: Value | undefined): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}

/** Only the keys whose values differ from the base. */
export function differencesOf(config: Config, base: Config): Config {
  return Object.fromEntries(
    Object.entries(config).filter(([key, value]) => !isSame(value, base[key])),
  );
}

/**
 * A run's config with what people changed while it trained, up to a step; without one, all of it. A change's own
 * checkpoint is written before it, so the checkpoint of the step before `from_step` does not know it.
 */
export function inForce(
  config: Config,
  changes: readonly ConfigChange[],
  step = Number.POSITIVE_INFINITY,
): Config {
  const held = changes.filter(({ from_step }) => (from_step ?? 0) <= step);
  return { ...config, ...Object.fromEntries(held.map(({ key, to }) => [key, to])) };
}

/** Checks one value against its field. */
export function problemOf(field: FormField, value: Value | undefined): Problem | null {
  if (value === null || value === undefined)
    return field.isNullable ? null : { key: "newRun.problems.missing", values: {} };
  if (field.control === "integer" || field.control === "number") return numberProblem(field, value);
  if (field.control === "choice" && !field.options.includes(String(value)))
    return { key: "newRun.problems.choice", values: { options: field.options.join(", ") } };
  if (field.source !== null) return sourceProblem(field.source, value);
  if (field.control === "switch" && typeof value !== "boolean")
    return { key: "newRun.problems.choice", values: { options: "true, false" } };
  if (field.control === "text") return textProblem(field, value);
  if (field.control === "list") return listProblem(field, value);
  if (field.control === "record" && !isRecordOfTexts(value))
    return { key: "newRun.problems.record", values: {} };
  return null;
}

/** Everything that is wrong, by field; unknown keys too, for the JSON may hold them. */
export function problemsOf(fields: readonly FormField[], config: Config): Map<string, Problem> {
  const problems = new Map<string, Problem>();
  for (const field of fields) {
    const problem = problemOf(field, config[field.key]);
    if (problem !== null) problems.set(field.key, problem);
  }
  const known = fields.map(({ key }) => key);
  for (const key of Object.keys(config))
    if (!known.includes(key)) problems.set(key, unknownProblem(key, known));
  return problems;
}

/** Those, and what does not go together: the server refuses the same. */
export function allProblemsOf(fields: readonly FormField[], config: Config): Map<string, Problem> {
  const problems = problemsOf(fields, config);
  for (const { path, message } of contradictionsOf(config)) {
    const found = recognise(message, ISSUES);
    if (found === null || problems.has(path)) continue;
    problems.set(path, { key: `server.issues.${found.key}`, values: found.values });
  }
  return problems;
}

function unknownProblem(key: string, known: readonly string[]): Problem {
  const meant = nearestName(key, known);
  return meant === null
    ? { key: "newRun.problems.unknown", values: { key } }
    : { key: "newRun.problems.unknownMeant", values: { key, meant } };
}

/** Reads what was typed for a number: `3e-4`, `0.5`, `1,000`. Text that is none stays text, and is told. */
export function readNumber(text: string): Value {
  const plain = text
    .trim()
    .replace(/,(?=\d{3}\b)/g, "")
    .replace("−", "-");
  if (plain === "") return null;
  const number = Number(plain);
  return Number.isFinite(number) ? number : text;
}

/** How a value stands in an input or a ghost text. */
export function writeValue(value: Value | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" && value !== 0 && Math.abs(value) < 1e-3)
    return value.toExponential();
  if (Array.isArray(value)) return value.map(writeValue).join(", ");
  // A source is an object of one key: what it names is what people want to read.
  if (typeof value === "object") {
    if (kindOf(value) !== null) return Object.values(value).map(writeValue).join(", ");
    return Object.entries(value)
      .map(([key, entry]) => `${key}=${writeValue(entry)}`)
      .join(", ");
  }
  return String(value);
}

/** The word for a null, the same wherever a config is shown. */
export function wordOfNull(key: string): string {
  return `newRun.${nullWordOf(key)}`;
}

/** The JSON editor's text back into a config. */
export function readJson(text: string): { config: Config } | { problem: string } {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
      return { problem: "{ … }" };
    return { config: parsed as Config };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** One JSON value; undefined where the text is none yet. */
export function readValue(text: string): Value | undefined {
  try {
    return JSON.parse(text) as Value;
  } catch {
    // Half-typed JSON is no failure: the control says that it cannot be read yet.
    return undefined;
  }
}

function numberProblem(field: FormField, value: Value): Problem | null {
  if (typeof value !== "number") return { key: "newRun.problems.number", values: {} };
  if (field.control === "integer" && !Number.isInteger(value))
    return { key: "newRun.problems.integer", values: {} };
  const { minimum, maximum, isMinimumOpen, isMaximumOpen } = field;
  if (minimum !== null && (value < minimum || (isMinimumOpen && value === minimum)))
    return {
      key: isMinimumOpen ? "newRun.problems.above" : "newRun.problems.atLeast",
      values: { bound: minimum },
    };
  if (maximum !== null && (value > maximum || (isMaximumOpen && value === maximum)))
    return {
      key: isMaximumOpen ? "newRun.problems.below" : "newRun.problems.atMost",
      values: { bound: maximum },
    };
  return null;
}

function textProblem(field: FormField, value: Value): Problem | null {
  if (typeof value !== "string") return { key: "newRun.problems.text", values: {} };
  if (value.length < field.minLength) return { key: "newRun.problems.missing", values: {} };
  if (field.maxLength !== null && value.length > field.maxLength)
    return { key: "newRun.problems.tooLong", values: { bound: field.maxLength } };
  if (field.pattern !== null && !new RegExp(field.pattern).test(value))
    return { key: "newRun.problems.pattern", values: { pattern: field.pattern } };
  return null;
}

function listProblem(field: FormField, value: Value): Problem | null {
  const isEntry = (entry: Value) =>
    field.holdsNumbers ? Number.isInteger(entry) : typeof entry === "string";
  if (!Array.isArray(value) || !value.every(isEntry))
    return {
      key: field.holdsNumbers ? "newRun.problems.numbers" : "newRun.problems.list",
      values: {},
    };
  if (field.options.length > 0 && value.some((entry) => !field.options.includes(String(entry))))
    return { key: "newRun.problems.choice", values: { options: field.options.join(", ") } };
  return null;
}

function isRecordOfTexts(value: Value): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((entry) => typeof entry === "string")
  );
}
