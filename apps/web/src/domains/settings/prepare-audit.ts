// What an entry of the audit log speaks of, and its details in words: one row a fact, none for what says nothing. Pure.
import { AlertCondition, AlertScope, type AuditEntry, PRIORITIES } from "@spotter/contract";
import { MISSING } from "../../platform/format/index.ts";
import type { Words } from "../../platform/say-in-language.ts";
import { conditionOf, scopeOf } from "../alerts/prepare-alerts.ts";

/** Kinds of things that have a page under their number. */
const PAGES: { readonly [kind: string]: string } = {
  run: "/runs",
  dataset: "/datasets",
  model: "/models",
  comparison: "/compare",
};

/** The thing, with its page where it has one. */
export function subjectOf(
  entry: AuditEntry,
  nameOf: (kind: string) => string,
): { text: string; to: string | null } {
  const { subject_kind: kind, subject_id: id } = entry;
  if (kind === null) return { text: MISSING, to: null };
  const text = id === null ? nameOf(kind) : `${nameOf(kind)} ${id}`;
  const page = PAGES[kind];
  return { text, to: page !== undefined && id !== null ? `${page}/${id}` : null };
}

export interface Detail {
  name: string;
  text: string;
  /** Settings of a training keep their own names; they are code in every language. */
  isCode: boolean;
}

type Details = AuditEntry["details"];
type Value = Details[string];

/** Objects under these keys hold settings of a training by their own names. */
const SETTINGS = ["values", "changes"];
/** Numbers that only the machine's own books know. */
const SILENT = ["command_id"];
/** Values that are words of a list which the pages have already, by their key. */
const WORDS: { readonly [key: string]: string } = {
  role: "settings.people.roles",
  action: "settings.audit.controls",
  keep: "fork.parts",
};

/** `Name: digits`, `Role: member`; nothing for no details, nor for those that say nothing. */
export function detailsOf(entry: Pick<AuditEntry, "action" | "details">, words: Words): Detail[] {
  return Object.entries(entry.details).flatMap(([key, value]): Detail[] => {
    if (isEmpty(value) || SILENT.includes(key) || (key === "password_set" && value === false))
      return [];
    if (SETTINGS.includes(key) && typeof value === "object" && !Array.isArray(value))
      return settingsOf(value as Details);
    const name = wordAt(`settings.audit.keys.${key}`, words);
    return [
      { name: name ?? key, text: textOf(entry.action, key, value, words), isCode: name === null },
    ];
  });
}

function isEmpty(value: Value | undefined): boolean {
  if (value === null || value === undefined || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function settingsOf(settings: Details): Detail[] {
  return Object.entries(settings).map(([name, value]) => ({
    ...{ name, isCode: true },
    text: typeof value === "string" ? value : JSON.stringify(value),
  }));
}

function textOf(action: string, key: string, value: Value, words: Words): string {
  if (Array.isArray(value))
    return value
      .map((each) => textOf(action, key, each, words))
      .join(words.t("settings.audit.comma"));
  if (typeof value === "boolean") return words.t(`settings.audit.${value ? "yes" : "no"}`);
  if (typeof value === "object") return objectText(key, value, words);
  const list = listOf(action, key);
  const code = typeof value === "number" && list === "queue.priorities" ? priority(value) : value;
  return (list === null ? null : wordAt(`${list}.${code}`, words)) ?? String(value);
}

/** A rule's condition and scope are said as its own page says them. */
function objectText(key: string, value: Value, words: Words): string {
  if (isSwitches(value)) {
    const on = Object.keys(value).filter((name) => value[name]);
    const named = on.map((name) => wordAt(`${WORDS[key] ?? ""}.${name}`, words) ?? name);
    return named.join(words.t("settings.audit.comma")) || words.t("app.none");
  }
  const condition = key === "condition" ? AlertCondition.safeParse(value) : null;
  if (condition?.success) return conditionOf(condition.data, words.t);
  const scope = key === "scope" ? AlertScope.safeParse(value) : null;
  if (scope?.success) return scopeOf(scope.data, words.t);
  return JSON.stringify(value);
}

/** `from` and `to` are of whatever the action changes. */
function listOf(action: string, key: string): string | null {
  if (key === "from" || key === "to") {
    if (action === "priority-changed") return "queue.priorities";
    return action.startsWith("model-") && action !== "model-renamed" ? "models.stages" : null;
  }
  if (key === "kind" && action.startsWith("alert-target")) return "alerts.targetKinds";
  return WORDS[key] ?? null;
}

function priority(value: number): string {
  return Object.entries(PRIORITIES).find(([, number]) => number === value)?.[0] ?? String(value);
}

/** Which of some parts, as a switch each. */
function isSwitches(value: Value): value is Record<string, boolean> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((each) => typeof each === "boolean")
  );
}

function wordAt(key: string, { t, te }: Words): string | null {
  return te(key) ? t(key) : null;
}
