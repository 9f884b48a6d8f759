// Rules on a run's state. Every change reaches it through the outbox, so that a server that dies between the change and
// its judgement leaves it to the next one.
import { FINAL_STATES, type JobState, type Run, type WorkerEvent } from "@spotter/contract";
import type { StatementMaker } from "../../platform/db/statement.ts";
import type { Outbox } from "../../platform/outbox.ts";
import type { Sink } from "../../platform/sink.ts";
import type { JobObserver } from "../queue/index.ts";
import type { RunRow, RunService } from "../runs/index.ts";
import type { Change, Ledger } from "./ledger.ts";
import type { RuleBook } from "./rule-book.ts";
import type { AlertStore } from "./store.ts";
import { covers } from "./tools/scope.ts";

/** Outbox: a run may have entered a state; payload `{run_id, state}`, state null where only the run's row knows it. */
export const RUN_STATE_CHANGED = "alerts-run-state-changed";

/** More than a chat's message needs; the run's page has all of it. */
const MAX_REASON = 500;
/** Says no more than the state does. */
const STOPPED_AS_ASKED = "Stopped as asked.";

export interface StateWatcherParts {
  readonly store: AlertStore;
  readonly book: RuleBook;
  readonly ledger: Pick<Ledger, "write">;
  readonly runs: Pick<RunService, "find">;
  readonly now: () => number;
}

export class StateWatcher {
  readonly #parts: StateWatcherParts;

  constructor(parts: StateWatcherParts) {
    this.#parts = parts;
  }

  async judge(runId: number, told: JobState | null): Promise<void> {
    const { store, book, ledger, runs, now } = this.#parts;
    if (!book.isLoaded) throw new Error("The rules are not known yet.");
    const run = await runs.find(runId);
    if (run === undefined) return;
    const scoped = { id: run.id, name: run.name, tags: JSON.parse(run.tags) as string[] };
    const rules = book
      .of("state")
      .filter((rule) => rule.projectId === run.project_id && covers(rule.scope, scoped));
    const ids = rules.map(({ id }) => id);
    const standings = new Map(
      (await store.standings(ids, [runId])).map((standing) => [standing.rule_id, standing]),
    );
    const changes: Change[] = [];
    for (const rule of rules) {
      const { states } = rule.condition;
      const standing = standings.get(rule.id);
      const state = told ?? run.state;
      const isCool = standing === undefined || now() - standing.last_fired_at >= rule.cooldownS;
      if (states.includes(state) && standing?.is_open !== 1 && isCool)
        changes.push({ kind: "fires", rule, run: scoped, state, reason: reasonOf(run, state) });
      // News that come late must not close what is true now.
      if (!states.includes(state) && !states.includes(run.state) && standing?.is_open === 1)
        changes.push({ kind: "recovers", rule, run: scoped });
    }
    await ledger.write(changes);
  }
}

/** A run that has gone on since, or waits, says something of another state. */
function reasonOf(run: RunRow, state: JobState): string | null {
  if (run.state !== state || !FINAL_STATES.includes(state)) return null;
  const error = run.error === null ? null : (JSON.parse(run.error) as Run["error"]);
  const text = (error?.message ?? run.reason ?? "").replace(/\s+/g, " ").trim();
  if (text === "" || text === STOPPED_AS_ASKED) return null;
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON - 1)}…` : text;
}

export interface StatesSinkParts {
  readonly book: Pick<RuleBook, "mayWatchStates" | "mayWatchPoints">;
  readonly outbox: Outbox;
  readonly statement: StatementMaker;
}

/** From its start on a run is known to have points that nobody has looked at, even if this server dies at once. */
const OPEN_PROGRESS = `INSERT INTO alert_progress (run_id, commit_no, tallies, is_done, saved_at)
  VALUES (?, 0, '{}', 0, ?) ON CONFLICT (run_id) DO UPDATE SET is_done = 0`;

/** States that the worker tells; in the transaction that takes its word. */
export function statesSink({ book, outbox, statement }: StatesSinkParts): Sink {
  return {
    types: ["run-started", "run-paused", "run-ended", "attempt-ended"],
    plan: ({ jobId, receivedAt }, events) => {
      const hasStarted = events.some(({ type }) => type === "run-started");
      const told = book.mayWatchStates ? events : [];
      return {
        statements: [
          ...(hasStarted && book.mayWatchPoints
            ? [statement(OPEN_PROGRESS, [jobId, receivedAt])]
            : []),
          ...told.map((event) =>
            outbox.statement(RUN_STATE_CHANGED, { run_id: jobId, state: stateOf(event) }),
          ),
        ],
        afterCommit: () => {
          if (told.length > 0) outbox.kick();
        },
      };
    },
  };
}

function stateOf(event: WorkerEvent): JobState | null {
  if (event.type === "run-started") return "running";
  if (event.type === "run-paused") return "paused";
  // One that goes on later has not ended: its row says that it waits.
  return event.type === "run-ended" && event.goes_on !== true ? event.state : null;
}

/** States that the server itself changes. */
export function statesObserver(parts: {
  readonly book: Pick<RuleBook, "mayWatchStates">;
  readonly outbox: Outbox;
}): JobObserver {
  return {
    jobsChanged: async (transaction, jobIds) => {
      if (!parts.book.mayWatchStates) return;
      for (const runId of jobIds)
        await parts.outbox.enqueue(transaction, RUN_STATE_CHANGED, { run_id: runId, state: null });
    },
    attemptLost: async () => undefined,
    afterJobsChanged: () => {
      if (parts.book.mayWatchStates) parts.outbox.kick();
    },
  };
}
