// What is wrong with a field, in the words that a form has for it: a validator's own words name types and operators, and
// for a key that nobody knows not the one that was meant.
import type { z } from "zod";
import type { ErrorIssue } from "./errors.ts";

type Issue = z.core.$ZodIssue;

/** The validator's sentences; what it says of our own accord (`must be …`) stays. */
const WORDS: readonly (readonly [RegExp, (found: string, more: string) => string])[] = [
  [/^Invalid input: expected (.+), received undefined$/, () => "a value is needed"],
  [/^Invalid input: expected int, received number$/, () => "must be a whole number"],
  [
    /^Invalid input: expected (.+), received (.+)$/,
    (type, received) => `must be of the type ${type}, not ${received}`,
  ],
  [/^Invalid input: expected (.+)$/, (value) => `must be ${value}`],
  [
    /^Invalid option: expected one of (.+)$/,
    (options) => `must be one of ${options.replaceAll("|", ", ")}`,
  ],
  [
    /^Too small: expected string to have >=(.+) characters$/,
    (bound) => `must have at least ${bound} characters`,
  ],
  [
    /^Too big: expected string to have <=(.+) characters$/,
    (bound) => `must have at most ${bound} characters`,
  ],
  [
    /^Too small: expected array to have >=(.+) items$/,
    (bound) => `must have at least ${bound} entries`,
  ],
  [
    /^Too big: expected array to have <=(.+) items$/,
    (bound) => `must have at most ${bound} entries`,
  ],
  [/^Too small: expected .+ to be >=(.+)$/, (bound) => `must be at least ${bound}`],
  [/^Too small: expected .+ to be >(.+)$/, (bound) => `must be more than ${bound}`],
  [/^Too big: expected .+ to be <=(.+)$/, (bound) => `must be at most ${bound}`],
  [/^Too big: expected .+ to be <(.+)$/, (bound) => `must be less than ${bound}`],
  [/^Unrecognized keys?: (.+)$/, (keys) => `there is no field ${keys}`],
  [/^Invalid string: must match pattern (.+)$/, (pattern) => `must look like ${pattern}`],
  [/^Invalid number: must be a multiple of (.+)$/, (bound) => `must be a multiple of ${bound}`],
  [/^Invalid input$/, () => "this value is not allowed here"],
];

/** @example issueWords(VisionConfig.safeParse({ epochs: 0 }).error.issues[0]) // "must be at least 1" */
export function issueWords({ message }: Pick<Issue, "message">): string {
  for (const [pattern, say] of WORDS) {
    const found = pattern.exec(message);
    if (found !== null) return say(found[1] ?? "", found[2] ?? "");
  }
  return message;
}

/**
 * One issue a field, for a config or any other object with known names.
 * @param place what stands before the field's path: `config`
 * @param known the names that there are
 */
export function fieldIssues(
  error: Pick<z.ZodError, "issues">,
  place: string,
  known: readonly string[],
): ErrorIssue[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys" || issue.path.length > 0)
      return [{ path: [place, ...issue.path].join("."), message: issueWords(issue) }];
    return issue.keys.map((key) => {
      const meant = nearestName(key, known);
      const hint = meant === null ? "" : `; did you mean ${meant}?`;
      return { path: `${place}.${key}`, message: `there is no field of this name${hint}` };
    });
  });
}

/**
 * The name that was probably meant; null where none is near.
 * @example nearestName("lr", ["epochs", "learning_rate"]) // "learning_rate"
 */
export function nearestName(typed: string, names: readonly string[]): string | null {
  const plain = plainOf(typed);
  if (plain === "") return null;
  const initials = names.find((name) => initialsOf(name) === plain);
  if (initials !== undefined) return initials;
  const ranked = names
    .map((name) => ({ name, distance: distanceOf(plain, plainOf(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const [nearest] = ranked;
  if (nearest !== undefined && nearest.distance <= Math.max(1, Math.floor(plain.length / 3)))
    return nearest.name;
  // `batch` for `batch_size`, `rate` for `learning_rate`: where only one is meant.
  const holding = plain.length < 4 ? [] : names.filter((name) => plainOf(name).includes(plain));
  return holding.length === 1 ? (holding[0] ?? null) : null;
}

/** `learningRate`, `learning-rate` and `learning_rate` are one name. */
function plainOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

function initialsOf(name: string): string {
  const words = name.split("_");
  return words.length < 2 ? "" : words.map((word) => word[0] ?? "").join("");
}

/** Letters to put in, take out, change or swap with their neighbour. */
function distanceOf(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const at = (up: number, left: number) => rows[row - up]?.[column - left] ?? Infinity;
      const changed = Math.min(at(1, 0), current[column - 1] ?? Infinity) + 1;
      const kept = at(1, 1) + (isSame ? 0 : 1);
      const isSwapped =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(Math.min(changed, kept, isSwapped ? at(2, 2) + 1 : Infinity));
    }
    rows.push(current);
  }
  return rows[a.length]?.[b.length] ?? Infinity;
}
