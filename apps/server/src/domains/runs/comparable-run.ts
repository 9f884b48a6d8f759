// What the comparisons room needs to know of a run: what the list shows of it, its config in both forms, and
// what people changed while it trained.
import type { RunCommand, RunSummary } from "@spotter/contract";
import { changesInForce } from "./live-values.ts";
import type { RunFacts, RunRow } from "./tables.ts";
import { toSummary } from "./views.ts";

/** A value that was changed in mid-training, and not taken back. */
interface ChangedValue {
  readonly name: string;
  readonly value: number | null;
  /** The first step that it holds for; null where the worker did not tell. */
  readonly fromStep: number | null;
}

export interface ComparableRun {
  /** Without metric values. */
  readonly summary: RunSummary;
  /** As it was asked for, defaults filled in. */
  readonly asked: Readonly<Record<string, unknown>>;
  /** As the worker or the script told it; the same before that. */
  readonly resolved: Readonly<Record<string, unknown>>;
  /** `asked` is without them. In the order in which they were made, those of one moment by name. */
  readonly changes: readonly ChangedValue[];
}

export function toComparableRun(row: RunRow, commands: readonly RunCommand[]): ComparableRun {
  const asked = JSON.parse(row.config) as Record<string, unknown>;
  const facts = row.facts === null ? null : (JSON.parse(row.facts) as RunFacts);
  return {
    summary: toSummary(row, {}),
    asked,
    resolved: facts?.config ?? asked,
    changes: changesInForce(commands).flatMap(changedValues),
  };
}

/** A value that was set to what it was already is no change. */
function changedValues({ change, step }: RunCommand): ChangedValue[] {
  if (change === null) return [];
  // The worker names the step before: the checkpoint lies there.
  const fromStep = step === null ? null : step + 1;
  return Object.entries(change.after)
    .filter(([name, value]) => change.before[name] !== value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value, fromStep }));
}
