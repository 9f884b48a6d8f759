// What the comparisons room needs to know of a run: what the list shows of it, and its config in both forms.
import type { RunSummary } from "@spotter/contract";
import type { RunFacts, RunRow } from "./tables.ts";
import { toSummary } from "./views.ts";

export interface ComparableRun {
  /** Without metric values. */
  readonly summary: RunSummary;
  /** As it was asked for, defaults filled in. */
  readonly asked: Readonly<Record<string, unknown>>;
  /** As the worker or the script told it; the same before that. */
  readonly resolved: Readonly<Record<string, unknown>>;
}

export function toComparableRun(row: RunRow): ComparableRun {
  const asked = JSON.parse(row.config) as Record<string, unknown>;
  const facts = row.facts === null ? null : (JSON.parse(row.facts) as RunFacts);
  return { summary: toSummary(row, {}), asked, resolved: facts?.config ?? asked };
}
