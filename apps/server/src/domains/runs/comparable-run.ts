// What the comparisons room needs to know of a run: what the list shows of it, its config in both forms, and
// what people changed while it trained; and where it began.
import type { ConfigChange, RunCommand, RunSummary } from "@spotter/contract";
import { configAtStart, configChanges } from "./live-values.ts";
import { type KnownOrigin, type OriginFacts, originOf } from "./run-origin.ts";
import type { RunFacts, RunRow } from "./tables.ts";
import { toSummary } from "./views.ts";

export interface ComparableRun {
  /** Without metric values. */
  readonly summary: RunSummary;
  /** As it was asked for, defaults filled in. */
  readonly asked: Readonly<Record<string, unknown>>;
  /** As the worker or the script told it; the same before that. As it began, too. */
  readonly resolved: Readonly<Record<string, unknown>>;
  /** `asked` is without them. In the order in which they were made, those of one moment by name. */
  readonly changes: readonly ConfigChange[];
  readonly began: KnownOrigin;
}

export function toComparableRun(
  row: RunRow,
  commands: readonly RunCommand[],
  facts: OriginFacts,
): ComparableRun {
  const asked = JSON.parse(row.config) as Record<string, unknown>;
  const told = row.facts === null ? null : (JSON.parse(row.facts) as RunFacts);
  return {
    summary: toSummary(row, {}),
    asked,
    resolved: configAtStart(told?.config ?? asked, commands),
    changes: configChanges(commands),
    began: originOf(row, asked, facts),
  };
}
