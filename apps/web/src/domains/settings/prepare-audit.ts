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

/** `name: digits, role: member`; nothing for no details, nor for those that say nothing. */
export function detailsOf(entry: AuditEntry): string {
  return Object.entries(entry.details)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
