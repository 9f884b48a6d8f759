// Takes numbered batches: splits each among the rooms that registered for its events, and stores all or nothing of it
// in the one transaction that advances the attempt's sequence.
import type { EventBatch, EventReceipt, WorkerEvent, WorkerEventType } from "@spotter/contract";
import type { Database, ProcedureCall, Statement } from "../../platform/db/database.ts";
import { type StatementMaker, statementMaker } from "../../platform/db/statement.ts";
import { invalidRequest } from "../../platform/errors.ts";
import type { BatchContext, Sink, SinkPlan } from "../../platform/sink.ts";
import type { AttemptIdentity } from "./attempt-tokens.ts";
import { attemptEnded, attemptSuperseded, jobNotFound, sequenceGap } from "./errors.ts";
import type { QueueStore } from "./store.ts";

/** Both sources count for themselves, so each has its own column. Superseded and closed attempts match no row. */
const guardOf = (column: "worker_seq" | "supervisor_seq") =>
  `UPDATE attempts SET ${column} = ?, last_event_at = ?
   WHERE job_id = ? AND attempt = ? AND ${column} = ? AND closed_at IS NULL
   AND attempt = (SELECT current_attempt FROM jobs WHERE jobs.id = attempts.job_id)`;
const GUARDS = { worker: guardOf("worker_seq"), supervisor: guardOf("supervisor_seq") };

const SUPERVISOR_ONLY: ReadonlySet<WorkerEventType> = new Set(["attempt-ended", "heartbeat"]);
const SUPERVISOR_TOO: ReadonlySet<WorkerEventType> = new Set([
  "attempt-ended",
  "heartbeat",
  "log-lines",
]);

interface PlannedSink {
  readonly plan: SinkPlan;
  readonly firstProcedure: number;
}

export class EventTaker {
  readonly #database: Database;
  readonly #store: QueueStore;
  readonly #now: () => number;
  readonly #statement: StatementMaker;
  readonly #sinks: Sink[] = [];
  readonly #sinksOf = new Map<WorkerEventType, Sink[]>();

  constructor(database: Database, store: QueueStore, now: () => number) {
    this.#database = database;
    this.#store = store;
    this.#now = now;
    this.#statement = statementMaker(database.engine);
  }

  /** Sinks plan, and tell after the commit, in the order in which they were registered. */
  register(sink: Sink): void {
    this.#sinks.push(sink);
    for (const type of sink.types)
      this.#sinksOf.set(type, [...(this.#sinksOf.get(type) ?? []), sink]);
  }

  /** Throws `sequence-gap`, `attempt-superseded`, `attempt-ended` and whatever a sink refuses. */
  async take(identity: AttemptIdentity, batch: EventBatch): Promise<EventReceipt> {
    checkSource(batch);
    const context: BatchContext = {
      jobId: identity.jobId,
      projectId: identity.projectId,
      attempt: batch.attempt,
      source: batch.source,
      seq: batch.seq,
      receivedAt: this.#now(),
    };
    const planned: PlannedSink[] = [];
    const statements: Statement[] = [];
    const procedures: ProcedureCall[] = [];
    for (const [sink, events] of this.#split(batch.events)) {
      const plan = await sink.plan(context, events);
      planned.push({ plan, firstProcedure: procedures.length });
      if (plan.statements !== undefined) statements.push(...plan.statements);
      if (plan.procedures !== undefined) procedures.push(...plan.procedures);
    }
    const outcome = await this.#database.ingest({
      guard: this.#guard(context),
      statements,
      procedures,
    });
    if (outcome.status === "skipped") return this.#explainSkip(context);
    return { seq: batch.seq, duplicate: false, commit_no: finish(planned, outcome.results) };
  }

  /** Each sink gets its events in order; almost every batch has one type only. */
  #split(events: readonly WorkerEvent[]): Map<Sink, readonly WorkerEvent[]> {
    const first = events[0];
    const shares = new Map<Sink, WorkerEvent[]>();
    if (first !== undefined && events.every((event) => event.type === first.type)) {
      for (const sink of this.#sinksOf.get(first.type) ?? []) shares.set(sink, [...events]);
      return shares;
    }
    for (const sink of this.#sinks) {
      const share = events.filter((event) => sink.types.includes(event.type));
      if (share.length > 0) shares.set(sink, share);
    }
    return shares;
  }

  #guard(context: BatchContext): Statement {
    return this.#statement(GUARDS[context.source], [
      context.seq,
      context.receivedAt,
      context.jobId,
      context.attempt,
      context.seq - 1,
    ]);
  }

  async #explainSkip(context: BatchContext): Promise<EventReceipt> {
    const [job, attempt] = await Promise.all([
      this.#store.job(context.jobId),
      this.#store.attempt(context.jobId, context.attempt),
    ]);
    if (job === undefined || attempt === undefined) throw jobNotFound(context.jobId);
    const stored = context.source === "worker" ? attempt.worker_seq : attempt.supervisor_seq;
    // Before "superseded" and "ended": the answer to an attempt's very last batch may have been lost on its way, and
    // a follower that was killed repeats it after the next attempt has begun.
    if (context.seq <= stored) return { seq: context.seq, duplicate: true, commit_no: null };
    if (context.attempt < job.current_attempt)
      throw attemptSuperseded(context.attempt, job.current_attempt);
    if (attempt.closed_at !== null) throw attemptEnded();
    throw sequenceGap(context.seq, stored + 1);
  }
}

function finish(planned: readonly PlannedSink[], results: readonly unknown[]): number | null {
  let commitNo: number | null = null;
  for (const { plan, firstProcedure } of planned) {
    const own = results.slice(firstProcedure, firstProcedure + (plan.procedures?.length ?? 0));
    commitNo = plan.commitNoOf?.(own) ?? commitNo;
    plan.afterCommit?.(own);
  }
  return commitNo;
}

function checkSource(batch: EventBatch): void {
  batch.events.forEach((event, index) => {
    const fits =
      batch.source === "supervisor"
        ? SUPERVISOR_TOO.has(event.type)
        : !SUPERVISOR_ONLY.has(event.type);
    if (!fits)
      throw invalidRequest([
        {
          path: `body.events.${index}.type`,
          message: `${event.type} is not for source ${batch.source}`,
        },
      ]);
  });
}
