// What an entry of the audit log speaks of, and its details on one line. Pure.
import type { AuditEntry } from "@spotter/contract";
import { MISSING } from "../../platform/format/index.ts";

/** Kinds of things that have a page under their number. */
const PAGES: { readonly [kind: string]: string } = {
  run: "/runs",
  dataset: "/datasets",
  model: "/models",
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

/** `name: digits · values.learning_rate: 0.0001 · tags: a, b`; nothing for no details, nor for those that say nothing. */
export function detailsOf(entry: AuditEntry): string {
  return Object.entries(entry.details)
    .flatMap(([key, value]) => facts(key, value))
    .join(" · ");
}

/** What was switched off was changed too. */
const MAY_BE_OFF = /^(values|changes)\./;

type Detail = AuditEntry["details"][string];

/** Down to what has no parts, each with the whole way to it. */
function facts(path: string, value: Detail): string[] {
  if (value === null) return MAY_BE_OFF.test(path) ? [`${path}: ${MISSING}`] : [];
  if (Array.isArray(value)) {
    const parts = value.filter((part) => part !== null);
    if (parts.length === 0) return [];
    if (parts.every((part) => typeof part !== "object")) return [`${path}: ${parts.join(", ")}`];
    return parts.flatMap((part, index) => facts(`${path}.${index + 1}`, part));
  }
  if (typeof value === "object")
    return Object.entries(value).flatMap(([key, part]) => facts(`${path}.${key}`, part));
  return [`${path}: ${value}`];
}
