// Runs that began the same way and differ in nothing but the seed are one group: the same training, repeated. A run whose
// values were changed while it trained is another training than its config says. Pure.
import { keptWords, laterValueWords, type RunSummary, type WordsLanguage } from "@spotter/contract";
import type { ComparableRun } from "../runs/index.ts";
import { isSeedKey, leavesOf } from "./config-diff.ts";

export interface GroupedRun {
  readonly summary: Pick<RunSummary, "id" | "name" | "recipe" | "source">;
  /** As it was asked for: what a worker resolved differs between a run that waits and one that began. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly changes: ComparableRun["changes"];
  readonly began: ComparableRun["began"];
}

export interface Group {
  readonly id: string;
  readonly label: string;
  readonly labelZh: string;
  readonly runIds: readonly number[];
}

const MAX_LABEL_KEYS = 3;
const MAX_LABEL_LENGTH = 80;

/** Null where the config names none. */
export function seedOf(config: Readonly<Record<string, unknown>>): string | null {
  const seeds = leavesOf(config).filter(({ key, json }) => isSeedKey(key) && json !== "null");
  return seeds.length === 0 ? null : seeds.map(({ text }) => text).join(", ");
}

/**
 * From where a run's seed says what is drawn: the same seed in two runs is the same luck only where this is the same.
 * Whatever weights a training began with, from its first step on the seed gives the order of the data.
 */
export function seedsSince({ origin, key }: GroupedRun["began"]): string {
  return origin === null || origin.forks.length === 0 ? "its first step" : key;
}

/** Groups in the order of their first runs: A, B, C, …; a run without a config is a group of its own. */
export function groupRuns(runs: readonly GroupedRun[]): Group[] {
  const byKey = new Map<string, GroupedRun[]>();
  for (const run of runs) {
    const key = keyOf(run);
    byKey.set(key, [...(byKey.get(key) ?? []), run]);
  }
  const groups = [...byKey.values()];
  const firsts = groups.map(([first]) => first as GroupedRun);
  const [labels, labelsZh] = [labelsOf(firsts, "en"), labelsOf(firsts, "zh")];
  return groups.map((members, index) => ({
    id: letterOf(index),
    label: labels[index] ?? letterOf(index),
    labelZh: labelsZh[index] ?? letterOf(index),
    runIds: members.map(({ summary }) => summary.id),
  }));
}

/** What a training is, its seed aside. A run that tells no config may be anything. */
function keyOf({ summary, config, changes, began }: GroupedRun): string {
  const leaves = leavesOf(config).filter(({ key }) => !isSeedKey(key));
  if (leavesOf(config).length === 0) return `run ${summary.id}`;
  const sorted = leaves
    .map(({ key, json }) => [key, json])
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  const changed = changes.map(({ key, to, from_step }) => [key, to, from_step]);
  return JSON.stringify([summary.source, summary.recipe, began.key, sorted, changed]);
}

/**
 * The keys in which the groups' first runs differ, what came only at later steps, and the checkpoint of a fork; where
 * there is nothing of all that, or too much to read, the run's name.
 */
function labelsOf(firsts: readonly GroupedRun[], language: WordsLanguage): string[] {
  const configs = firsts.map(
    ({ config }) => new Map(leavesOf(config).map(({ key, text }) => [key, text])),
  );
  const keys = [...new Set(configs.flatMap((config) => [...config.keys()]))].filter(
    (key) => !isSeedKey(key) && new Set(configs.map((config) => config.get(key))).size > 1,
  );
  const areFew = keys.length > 0 && keys.length <= MAX_LABEL_KEYS;
  // Asked first: of thousands of keys, each beside all others, the texts would hold up the server for minutes.
  const written = !areFew
    ? []
    : configs.map((config, index) => keysText(keys, config, firsts[index]));
  const isReadable = areFew && written.every((text) => text.length <= MAX_LABEL_LENGTH);
  const labels = firsts.map((first, index) => {
    const isNamed = keys.length > 0 && !(isReadable && (configs[index]?.size ?? 0) > 0);
    const trained = [
      isNamed ? first.summary.name : (written[index] ?? ""),
      laterText(first, language),
    ].filter((part) => part !== "");
    const parts = [trained.join(", "), forkText(first, firsts, language)];
    return (
      parts.filter((part) => part !== "").join(language === "zh" ? "；" : "; ") ||
      first.summary.name
    );
  });
  // Two groups must not read alike.
  return labels.map((label, index) =>
    labels.indexOf(label) === labels.lastIndexOf(label)
      ? label
      : `${label} (#${firsts[index]?.summary.id})`,
  );
}

/** `lr 0.3, width 8`; what the run's line came to only later is said apart. */
function keysText(
  keys: readonly string[],
  config: ReadonlyMap<string, string>,
  run: GroupedRun | undefined,
): string {
  const later = run?.began.origin?.values.map(({ key }) => key) ?? [];
  const isLater = (key: string) => later.some((one) => key === one || key.startsWith(`${one}.`));
  return keys
    .filter((key) => !isLater(key))
    .map((key) => `${shortKey(key, keys)} ${config.get(key) ?? "–"}`)
    .join(", ");
}

/** `learning_rate 0.0001 from step 286`; how many there are where they are too many to read. */
function laterText({ began, changes }: GroupedRun, language: WordsLanguage): string {
  const values = [...(began.origin?.values ?? []), ...changes];
  const text = values.map((value) => laterValueWords(value, language)).join(", ");
  if (text.length <= MAX_LABEL_LENGTH) return text;
  return language === "zh" ? `中途更改 ${values.length} 项` : `${values.length} later changes`;
}

/** `fork of 14 @ 420`; what it keeps, too, where another group forks the same step and keeps something else. */
function forkText(
  { began: { origin } }: GroupedRun,
  firsts: readonly GroupedRun[],
  language: WordsLanguage,
): string {
  const own = origin?.forks[0];
  if (own === undefined) return "";
  const { parent_id: parent, step, keep } = own;
  const kept = keptWords(keep, language);
  const isTwofold = firsts.some(({ began }) => {
    const other = began.origin?.forks[0];
    if (other?.parent_id !== parent || other.step !== step) return false;
    return keptWords(other.keep, language) !== kept;
  });
  const at = step.toLocaleString("en-US");
  if (language === "zh") return `分叉自 ${parent} @ ${at}${isTwofold ? `（保留${kept}）` : ""}`;
  return `fork of ${parent} @ ${at}${isTwofold ? ` keeping ${kept}` : ""}`;
}

/** `optimizer.lr` is `lr` where no other key of the label ends so. */
function shortKey(key: string, keys: readonly string[]): string {
  const last = key.split(".").at(-1) ?? key;
  return keys.filter((other) => other.split(".").at(-1) === last).length > 1 ? key : last;
}

/** A … Z, AA, AB, … */
function letterOf(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : `${letterOf(Math.floor(index / 26) - 1)}${letter}`;
}
