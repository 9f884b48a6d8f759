// What an entry of the audit log speaks of, and its details on one line. Pure.
import type { AuditEntry } from "@spotter/contract";
import { MISSING } from "../../platform/format/index.ts";

/** The thing, with its page where it has one. */
export function subjectOf(
  entry: AuditEntry,
  nameOf: (kind: string) => string,
): { text: string; to: string | null } {
  const { subject_kind: kind, subject_id: id } = entry;
  if (kind === null) return { text: MISSING, to: null };
  const text = id === null ? nameOf(kind) : `${nameOf(kind)} ${id}`;
  return { text, to: kind === "run" && id !== null ? `/runs/${id}/charts` : null };
}

/** `name: digits, role: member`; nothing for no details, nor for those that say nothing. */
export function detailsOf(entry: AuditEntry): string {
  return Object.entries(entry.details)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
