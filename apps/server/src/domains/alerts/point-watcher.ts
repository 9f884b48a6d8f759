// Looks at every committed point once, in order: live after the commit, and from the store where something was missed
// (a restart, another server, a rule of before). Never makes the ingest wait: what it finds is written behind it.
import { decodeMetricValue, type MetricAppended, type RunSummary } from "@spotter/contract";
import type { Log } from "../../platform/log.ts";
import type { MetricsRoom, ParsedSeries } from "../metrics/index.ts";
import type { RunService } from "../runs/index.ts";
import type { Change, Ledger } from "./ledger.ts";
import type { RuleBook } from "./rule-book.ts";
import type { AlertStore } from "./store.ts";
import type { ProgressTable } from "./tables.ts";
import { covers } from "./tools/scope.ts";
import { type Look, type Tallies, WatchedRun } from "./watched-run.ts";

export interface PointWatcherParts {
  readonly store: AlertStore;
  readonly book: RuleBook;
  readonly ledger: Pick<Ledger, "write">;
  readonly runs: Pick<RunService, "find">;
  readonly readAfter: MetricsRoom["service"]["readAfter"];
  readonly log: Log;
  readonly now: () => number;
}

/** What a killed server had not stored is read again: rarely is cheap, and each time costs a transaction. */
const FLUSH_MS = 15_000;
const RETRY_MS = 1_000;
const MAX_WRITE_TRIES = 30;
const COMMITS_AT_ONCE = 200;

export class PointWatcher {
  readonly #parts: PointWatcherParts;
  readonly #runs = new Map<number, WatchedRun>();
  /** Writes happen one after the other, each with the position that was reached when it was asked for. */
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  /** Something was not written before the end: nothing behind it may be, or the next server would skip it. */
  #isBroken = false;
  readonly #startedAt: number;

  constructor(parts: PointWatcherParts) {
    this.#parts = parts;
    this.#startedAt = parts.now();
  }

  /** Goes on where the server before this one was. */
  async start(): Promise<void> {
    const { store, book } = this.#parts;
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
    this.#timer.unref();
    if (!book.mayWatchPoints) return;
    for (const runId of await store.unfinished()) {
      if (this.#isStopped) return;
      await this.#catchUp(this.#runOf(runId));
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#flush();
    this.#isStopped = true;
    await this.#writing;
  }

  /** After a commit. Must cost next to nothing where no rule is interested. */
  observe(runId: number, commitNo: number, { names, columns }: ParsedSeries): void {
    if (this.#isStopped || !this.#parts.book.mayWatchPoints) return;
    const run = this.#runOf(runId);
    run.firstSeen ??= commitNo;
    run.announced = Math.max(run.announced, commitNo);
    if (run.isLive && commitNo === run.position + 1) {
      run.position = commitNo;
      run.isDirty = true;
      if (!run.isWatched) return;
      const look: Look = { now: this.#parts.now(), isOld: false, changes: [] };
      let from = 0;
      for (let index = 0; index < names.length; index += 1) {
        const to = from + (columns.counts[index] as number);
        run.take(names[index] as string, columns, from, to, look);
        from = to;
      }
      this.#settle(run, look.changes);
      return;
    }
    if (run.isLive && commitNo <= run.position) return;
    run.isLive = false;
    void this.#catchUp(run);
  }

  /** A rule was made, changed or removed. */
  rulesChanged(): void {
    for (const run of this.#runs.values()) this.#matchAnew(run);
  }

  runChanged({ id, project_id: projectId, name, tags, ended_at }: RunSummary): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    run.hasEnded = ended_at !== null;
    const { facts } = run;
    if (facts === null || (facts.name === name && facts.tags.join("\n") === tags.join("\n")))
      return;
    run.facts = { id, projectId, name, tags };
    this.#matchAnew(run);
  }

  forget(runId: number): void {
    this.#runs.delete(runId);
  }

  #runOf(runId: number): WatchedRun {
    let run = this.#runs.get(runId);
    if (run === undefined) {
      run = new WatchedRun(runId);
      this.#runs.set(runId, run);
    }
    return run;
  }

  #matchAnew(run: WatchedRun): void {
    run.mustMatch = true;
    run.isLive = false;
    void this.#catchUp(run);
  }

  /** Never rejects. */
  async #catchUp(run: WatchedRun): Promise<void> {
    if (run.isLoading) return;
    run.isLoading = true;
    try {
      await this.#readMissed(run);
    } catch (error) {
      this.#parts.log.warn(
        { error, run_id: run.id },
        "Points wait to be looked at by alert rules.",
      );
      setTimeout(() => void this.#catchUp(run), RETRY_MS).unref();
    } finally {
      run.isLoading = false;
    }
  }

  async #readMissed(run: WatchedRun): Promise<void> {
    const { book, readAfter, now } = this.#parts;
    if (!book.isLoaded) throw new Error("The rules are not known yet.");
    // A run that was put away a moment ago must be stored before it is taken up again.
    await this.#writing;
    while (!this.#isStopped && this.#runs.get(run.id) === run) {
      if (run.facts === null && !(await this.#learn(run))) return;
      if (run.mustMatch) await this.#match(run);
      if (!run.isWatched) {
        run.position = Math.max(run.position, run.announced);
        run.isLive = !run.mustMatch;
        if (run.isLive) return;
        continue;
      }
      const names = run.wantedNames;
      const filter =
        names === null ? undefined : { text: "", wants: (name: string) => names.includes(name) };
      const page = await readAfter(run.id, run.position, COMMITS_AT_ONCE, filter);
      for (const event of page.events) this.#takeStored(run, event, now());
      run.isDirty ||= page.commitNo > run.position;
      run.position = Math.max(run.position, page.commitNo);
      // No await between this look and going live: whatever is told from now on is looked at when it is told.
      if (page.more || run.announced > run.position || run.mustMatch) continue;
      run.isLive = true;
      return;
    }
  }

  /** @returns false when there is no such run any more */
  async #learn(run: WatchedRun): Promise<boolean> {
    const row = await this.#parts.runs.find(run.id);
    if (row === undefined) {
      this.#runs.delete(run.id);
      return false;
    }
    const tags = JSON.parse(row.tags) as string[];
    const stored = await this.#parts.store.progress(run.id);
    run.position = stored?.commit_no ?? 0;
    run.tallies = stored === undefined ? {} : (JSON.parse(stored.tallies) as Tallies);
    run.savedAt = stored?.saved_at ?? 0;
    run.hasEnded = row.ended_at !== null;
    run.isDirty ||= stored === undefined || run.hasEnded;
    run.facts = { id: row.id, projectId: row.project_id, name: row.name, tags };
    return true;
  }

  async #match(run: WatchedRun): Promise<void> {
    const { book, store } = this.#parts;
    const { facts } = run;
    if (facts === null) return;
    run.mustMatch = false;
    const rules = book.onPoints(facts.projectId).filter(({ scope }) => covers(scope, facts));
    const ids = rules.map(({ id }) => id);
    const isFirst = !run.isWatched;
    try {
      run.match(rules, await store.standings(ids, [run.id]));
    } catch (error) {
      // Tried again: without its rules the run would pass for one that nobody watches.
      run.mustMatch = true;
      throw error;
    }
    // Rules that were all made while this server ran, and after the run was last told of, need no history.
    const areNew = rules.every(({ since }) => since > this.#startedAt);
    if (isFirst && areNew && run.firstSeen !== null)
      run.position = Math.max(run.position, run.firstSeen - 1);
  }

  #takeStored(run: WatchedRun, event: MetricAppended, now: number): void {
    const isOld = run.firstSeen === null || event.commit_no < run.firstSeen;
    const look: Look = { now, isOld, changes: [] };
    for (const [name, { step, time, value }] of Object.entries(event.series)) {
      const columns = { step, time, value: value.map(decodeMetricValue) };
      run.take(name, columns, 0, step.length, look);
    }
    run.position = event.commit_no;
    run.isDirty = true;
    this.#settle(run, look.changes);
  }

  #settle(run: WatchedRun, changes: readonly Change[]): void {
    if (changes.length > 0) this.#write(changes, [this.#progressOf(run, false)]);
  }

  #flush(): void {
    const dirty = [...this.#runs.values()].filter((run) => run.facts !== null && run.isDirty);
    const rows = dirty.map((run) => this.#progressOf(run, run.hasEnded && run.isLive));
    for (const run of this.#runs.values()) {
      run.isDirty = false;
      // Its last word is written; should it go on, it is taken up again from there.
      if (run.hasEnded && run.isLive && !run.isLoading) this.#runs.delete(run.id);
    }
    if (rows.length > 0) this.#write([], rows);
  }

  #write(changes: readonly Change[], progress: readonly ProgressTable[]): void {
    this.#writing = this.#writing.then(() => this.#writePatiently(changes, progress));
  }

  /** A database that is away for a while loses nothing; what can never be written must not hold up the rest. */
  async #writePatiently(
    changes: readonly Change[],
    progress: readonly ProgressTable[],
  ): Promise<void> {
    for (let numTries = 1; !this.#isBroken; numTries += 1) {
      try {
        await this.#parts.ledger.write(changes, progress);
        return;
      } catch (error) {
        const isLast = numTries >= MAX_WRITE_TRIES || this.#isStopped;
        this.#parts.log.warn({ error, is_last: isLast }, "What alert rules saw was not written.");
        this.#isBroken = this.#isStopped;
        if (isLast) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #progressOf(run: WatchedRun, isDone: boolean): ProgressTable {
    return {
      run_id: run.id,
      commit_no: run.position,
      tallies: JSON.stringify(run.storedTallies()),
      is_done: isDone ? 1 : 0,
      saved_at: this.#parts.now(),
    };
  }
}
