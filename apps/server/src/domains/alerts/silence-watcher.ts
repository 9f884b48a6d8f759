// Rules on silence: asks each second which running runs have not been heard of, from their rows and from the points that
// arrived since the server started. Nothing has to be remembered over a restart: a server that was away heard nobody.
import type { Log } from "../../platform/log.ts";
import type { RunRow, RunService } from "../runs/index.ts";
import type { Change, Ledger } from "./ledger.ts";
import type { RuleBook } from "./rule-book.ts";
import type { AlertStore } from "./store.ts";
import { covers } from "./tools/scope.ts";

export interface SilenceWatcherParts {
  readonly store: AlertStore;
  readonly book: RuleBook;
  readonly ledger: Pick<Ledger, "write">;
  readonly runs: Pick<RunService, "running">;
  readonly log: Log;
  readonly now: () => number;
}

const LOOK_MS = 1_000;

export class SilenceWatcher {
  readonly #parts: SilenceWatcherParts;
  /** While no server runs nobody can be heard; that silence is ours. */
  readonly #startedAt: number;
  /** By run, when points of it last arrived; its row tells of everything else. */
  readonly #heard = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(parts: SilenceWatcherParts) {
    this.#parts = parts;
    this.#startedAt = parts.now();
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#looking ??= this.look()
        .catch((error: unknown) => this.#parts.log.warn({ error }, "Silent runs were not found."))
        .finally(() => {
          this.#looking = undefined;
        });
    }, LOOK_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Points of a run have arrived. */
  observe(runId: number): void {
    if (this.#parts.book.mayWatchSilence) this.#heard.set(runId, this.#parts.now());
  }

  async look(): Promise<void> {
    const { store, book, ledger, runs, now } = this.#parts;
    const rules = book.of("silence");
    if (rules.length === 0) return;
    const standings = await store.standings(rules.map(({ id }) => id));
    const running = new Map((await runs.running()).map((run) => [run.id, run]));
    for (const runId of this.#heard.keys()) if (!running.has(runId)) this.#heard.delete(runId);
    const changes: Change[] = [];
    for (const rule of rules) {
      const ofRule = standings.filter(({ rule_id }) => rule_id === rule.id);
      const open = ofRule.filter(({ is_open }) => is_open === 1);
      for (const standing of open) {
        const run = running.get(standing.run_id);
        if (run === undefined || this.#heardAt(run) > standing.last_fired_at)
          changes.push({ kind: "recovers", rule, run: { id: standing.run_id, name: "" } });
      }
      const lastFired = new Map(ofRule.map((one) => [one.run_id, one]));
      for (const run of running.values()) {
        const scoped = { id: run.id, name: run.name, tags: JSON.parse(run.tags) as string[] };
        if (run.project_id !== rule.projectId || !covers(rule.scope, scoped)) continue;
        const before = lastFired.get(run.id);
        const isCool = before === undefined || now() - before.last_fired_at >= rule.cooldownS;
        const heardAt = Math.max(this.#heardAt(run), this.#startedAt, rule.since);
        if (before?.is_open !== 1 && isCool && now() - heardAt >= rule.condition.seconds)
          changes.push({ kind: "fires", rule, run: scoped });
      }
    }
    await ledger.write(changes);
  }

  #heardAt(run: RunRow): number {
    return Math.max(
      run.last_event_at ?? run.started_at ?? run.created_at,
      this.#heard.get(run.id) ?? 0,
    );
  }
}
