// Rules on silence: which running runs have not been heard of, from their rows and from the points that arrived since the
// server started. Asks when something may have changed, not each second. Nothing has to be remembered over a restart: a
// server that was away heard nobody.
import type { SilenceCondition } from "@spotter/contract";
import type { Log } from "../../platform/log.ts";
import type { RunRow, RunService } from "../runs/index.ts";
import type { Change, Ledger } from "./ledger.ts";
import type { RuleBook } from "./rule-book.ts";
import type { AlertStore, Standing } from "./store.ts";
import type { Rule } from "./tables.ts";
import { covers } from "./tools/scope.ts";

type SilenceRule = Rule & { readonly condition: SilenceCondition };

export interface SilenceWatcherParts {
  readonly store: AlertStore;
  readonly book: RuleBook;
  readonly ledger: Pick<Ledger, "write">;
  readonly runs: Pick<RunService, "running">;
  readonly log: Log;
  readonly now: () => number;
}

/** Between two looks at the clock. */
const TICK_MS = 1_000;
/** A run that comes into a rule's scope later, by another name or tag, is seen this much later at most. */
const MAX_WAIT_S = 60;

/** One look's findings: what to write, and when something may be found next. */
interface Findings {
  readonly changes: Change[];
  nextAt: number;
}

export class SilenceWatcher {
  readonly #parts: SilenceWatcherParts;
  /** While no server runs nobody can be heard; that silence is ours. */
  readonly #startedAt: number;
  /** By run, when points of it last arrived; its row tells of everything else. */
  readonly #heard = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookedAt = 0;
  #mustLook = true;
  /** Before that nothing can have fallen silent, and nothing is open that could recover. */
  #nextAt = 0;

  constructor(parts: SilenceWatcherParts) {
    this.#parts = parts;
    this.#startedAt = parts.now();
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (!this.#isDue()) return;
      this.#looking ??= this.look()
        .catch((error: unknown) => this.#parts.log.warn({ error }, "Silent runs were not found."))
        .finally(() => {
          this.#looking = undefined;
        });
    }, TICK_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** A rule was made, changed or removed. */
  rulesChanged(): void {
    this.#mustLook = true;
  }

  /** Points of a run have arrived. */
  observe(runId: number): void {
    if (this.#parts.book.mayWatchSilence) this.#heard.set(runId, this.#parts.now());
  }

  async look(): Promise<void> {
    const { store, book, ledger, runs, now } = this.#parts;
    const rules = book.of("silence");
    const lookedAt = now();
    const found: Findings = { changes: [], nextAt: lookedAt + MAX_WAIT_S };
    this.#mustLook = false;
    const ids = rules.map(({ id }) => id);
    const running = new Map(
      (rules.length === 0 ? [] : await runs.running()).map((run) => [run.id, run]),
    );
    for (const runId of this.#heard.keys()) if (!running.has(runId)) this.#heard.delete(runId);
    // Only what is open and what runs: history grows for ever.
    const [open, standings] = await Promise.all([
      store.openOf(ids),
      store.standings(ids, [...running.keys()]),
    ]);
    for (const rule of rules) {
      const isOfRule = ({ rule_id }: { rule_id: number }) => rule_id === rule.id;
      this.#findRecovered(rule, open.filter(isOfRule), running, found);
      this.#findSilent(rule, standings.filter(isOfRule), running, found);
    }
    await ledger.write(found.changes);
    // Where something went wrong on the way, the next tick looks again.
    this.#nextAt = found.nextAt;
    this.#lookedAt = lookedAt;
  }

  /** Heard again, or not running any more. */
  #findRecovered(
    rule: SilenceRule,
    open: readonly { readonly run_id: number; readonly fired_at: number }[],
    running: ReadonlyMap<number, RunRow>,
    found: Findings,
  ): void {
    // Anything may be its next word, so it is looked for at every tick.
    if (open.length > 0) found.nextAt = 0;
    for (const { run_id: runId, fired_at: firedAt } of open) {
      const run = running.get(runId);
      if (run === undefined || this.#heardAt(run) > firedAt)
        found.changes.push({ kind: "recovers", rule, run: { id: runId, name: "" } });
    }
  }

  #findSilent(
    rule: SilenceRule,
    standings: readonly Standing[],
    running: ReadonlyMap<number, RunRow>,
    found: Findings,
  ): void {
    const { now } = this.#parts;
    const { seconds } = rule.condition;
    const before = new Map(standings.map((standing) => [standing.run_id, standing]));
    // A run that begins after this look is not silent before that.
    found.nextAt = Math.min(found.nextAt, now() + seconds);
    for (const run of running.values()) {
      const scoped = { id: run.id, name: run.name, tags: JSON.parse(run.tags) as string[] };
      if (run.project_id !== rule.projectId || !covers(rule.scope, scoped)) continue;
      const standing = before.get(run.id);
      if (standing?.is_open === 1) continue;
      const heardAt = Math.max(this.#heardAt(run), this.#startedAt, rule.since);
      const coolAt = standing === undefined ? 0 : standing.last_fired_at + rule.cooldownS;
      const dueAt = Math.max(heardAt + seconds, coolAt);
      if (now() >= dueAt) found.changes.push({ kind: "fires", rule, run: scoped });
      else found.nextAt = Math.min(found.nextAt, dueAt);
    }
    // What fires now is open from then on.
    if (found.changes.length > 0) found.nextAt = 0;
  }

  /** A clock that was put back makes every moment of before worthless. */
  #isDue(): boolean {
    const now = this.#parts.now();
    return this.#mustLook || now >= this.#nextAt || now < this.#lookedAt;
  }

  #heardAt(run: RunRow): number {
    return Math.max(
      run.last_event_at ?? run.started_at ?? run.created_at,
      this.#heard.get(run.id) ?? 0,
    );
  }
}
