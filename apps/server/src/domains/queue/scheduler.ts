// Starts what the plan lets start, and says of the rest why it waits. Beside the trainings one prediction and one
// pre-flight run at a time, first in, first out.
import { availableParallelism } from "node:os";
import type { JobKind, JobSpec } from "@spotter/contract";
import { PROTOCOL } from "@spotter/contract";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Log } from "../../platform/log.ts";
import { newAttemptToken } from "./attempt-tokens.ts";
import type { Executor } from "./executor.ts";
import type { JobChanges } from "./job-changes.ts";
import type { JobLifecycle } from "./lifecycle.ts";
import { grantedOf, limitsOf, type Outlook, type Planner, toWire } from "./planner.ts";
import type { Preemptions } from "./preemptions.ts";
import { reasonToStore } from "./reasons.ts";
import type { Starter } from "./starter.ts";
import type { QueueStore } from "./store.ts";
import type { Granted, JobRow, JobWork } from "./tables.ts";

/** Kinds with one place each: quick, and somebody looks on. */
const LIGHT_KINDS: readonly JobKind[] = ["predict", "preflight"];

export class Scheduler {
  readonly #store: QueueStore;
  readonly #lifecycle: JobLifecycle;
  readonly #changes: JobChanges;
  readonly #preemptions: Preemptions;
  readonly #executor: Executor;
  readonly #log: Log;
  readonly #audit: AuditRecorder;
  readonly #planner: Planner;
  readonly #starter: Starter;
  #running: Promise<void> = Promise.resolve();
  #passesWaiting = 0;
  #stopped = false;

  constructor(parts: {
    store: QueueStore;
    lifecycle: JobLifecycle;
    changes: JobChanges;
    preemptions: Preemptions;
    executor: Executor;
    planner: Planner;
    starter: Starter;
    audit: AuditRecorder;
    log: Log;
  }) {
    this.#store = parts.store;
    this.#lifecycle = parts.lifecycle;
    this.#changes = parts.changes;
    this.#preemptions = parts.preemptions;
    this.#executor = parts.executor;
    this.#planner = parts.planner;
    this.#starter = parts.starter;
    this.#log = parts.log;
    this.#audit = parts.audit;
  }

  /** Looks for work soon. Passes run one after the other; one that is already waiting serves all who ask. */
  kick(): void {
    if (this.#stopped || this.#passesWaiting > 0) return;
    this.#passesWaiting++;
    this.#running = this.#running.then(async () => {
      this.#passesWaiting--;
      if (this.#stopped) return;
      try {
        await this.#pass();
      } catch (error) {
        this.#log.error({ error }, "The scheduler's pass failed; it is tried again.");
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #pass(): Promise<void> {
    for (const kind of LIGHT_KINDS) await this.#passLight(kind);
    await this.#passTrainings();
  }

  async #passTrainings(): Promise<void> {
    const queued = await this.#store.queuedTrainings();
    await this.#preemptions.withdraw(queued);
    if (queued.length === 0) return;
    const obstacle = this.#executor.unavailable();
    if (obstacle !== null) return this.#explainWaiting("train", obstacle);
    const outlook = await this.#planner.look(queued);
    if (outlook === null) return;
    for (const { id, gpus } of outlook.decision.starts) {
      const found = outlook.waiting.get(id);
      if (found === undefined) continue;
      const hasGpus = outlook.machine.gpus.length > 0;
      await this.#begin(found.row, { needs: toWire(found.job.needs), gpus, hasGpus });
    }
    for (const preemption of outlook.decision.preemptions) await this.#preemptions.ask(preemption);
    await this.#explain(outlook);
  }

  async #passLight(kind: JobKind): Promise<void> {
    const next = await this.#store.nextWaiting([kind]);
    if (next === undefined) return;
    const obstacle = this.#executor.unavailable();
    if (obstacle !== null) return this.#explainWaiting(kind, obstacle);
    const isTaken = (await this.#store.openAttempts()).some((open) => open.kind === kind);
    if (isTaken)
      return this.#explainWaiting(
        kind,
        kind === "predict"
          ? "Waits for an earlier prediction to end."
          : "Waits for an earlier pre-flight to end.",
      );
    await this.#begin(next, null);
  }

  /** The stored sentence names no time: it would age, and each new minute would be news of every waiting run. */
  async #explain(outlook: Outlook): Promise<void> {
    const news = outlook.decision.waiting.flatMap((waiting) => {
      const row = outlook.waiting.get(waiting.id)?.row;
      const reason = row === undefined ? null : reasonToStore(row, waiting, outlook);
      return reason === null || row?.reason === reason ? [] : [{ id: waiting.id, reason }];
    });
    // By their numbers, as a reorder takes them: two transactions that lock rows in different orders may each wait for
    // the other.
    news.sort((one, other) => one.id - other.id);
    if (news.length === 0) return;
    await this.#changes.change(async (transaction) => {
      const changed: number[] = [];
      for (const { id, reason } of news)
        if (await this.#store.explain(transaction, id, reason)) changed.push(id);
      return changed;
    });
  }

  async #explainWaiting(kind: JobKind, reason: string): Promise<void> {
    await this.#changes.change((transaction) =>
      this.#store.explainWaiting(transaction, [kind], reason),
    );
  }

  async #begin(queued: JobRow, granted: Granted | null): Promise<void> {
    const attempt = queued.current_attempt + 1;
    const token = newAttemptToken();
    // A lost attempt is made good from what it saved since.
    const resumeFrom =
      queued.not_before === null
        ? queued.resume_from
        : await this.#changes.lastCheckpoint(queued.id);
    const job: JobRow = {
      ...queued,
      resume_from: resumeFrom,
      granted: granted === null ? null : JSON.stringify(granted),
    };
    const grant = { granted, resumeFrom };
    const begun = await this.#lifecycle.beginAttempt(job.id, attempt, token.hash, grant);
    if (begun === null) return;
    if (begun.isPaused) await this.#notePause(job, attempt);
    // Not waited for: bringing code and data to another machine may take minutes, and others could start meanwhile.
    const spec = specOf(job, attempt, this.#executor.machine()?.cpuCores);
    this.#starter.begin(spec, token.secret).finally(() => this.kick());
  }

  /** Nobody has asked for this pause now: the log says where it comes from. */
  async #notePause({ id, project_id: projectId }: JobRow, attempt: number): Promise<void> {
    this.#log.info({ job_id: id, attempt }, "A lost attempt had been paused: the next one pauses.");
    await this.#audit.record({
      ...{ userId: null, userName: null, action: "run-paused-again", subjectKind: "run" },
      ...{ subjectId: id, projectId, details: { attempt } },
    });
  }
}

/**
 * The attempt's spec, made anew from the job's row whenever it is asked for.
 * @param cores of the machine that it runs on
 */
export function specOf(job: JobRow, attempt: number, cores = availableParallelism()): JobSpec {
  if (job.work === null || job.kind === "external")
    throw new Error(`job ${job.id} is followed, not started by us: it has no spec`);
  const work = JSON.parse(job.work) as JobWork;
  const granted = grantedOf(job.granted);
  const limits = limitsOf(job);
  return {
    protocol: PROTOCOL,
    job_id: job.id,
    attempt,
    kind: job.kind,
    name: job.name,
    recipe: work.recipe,
    config: work.config,
    places: work.places,
    resume_from: job.resume_from,
    predict: work.predict,
    preflight: work.preflight ?? null,
    fork: work.fork ?? null,
    // A prediction or a pre-flight runs beside a training and should not slow it.
    num_threads:
      job.kind === "train"
        ? Math.min(cores, granted?.needs.cpu_cores ?? cores)
        : Math.max(1, Math.floor(cores / 2)),
    ...(granted === null || !granted.hasGpus ? {} : { gpus: [...granted.gpus] }),
    limits: {
      // A program's time is in its config: its worker asks it to stop, which signals to the whole group would forestall.
      time_s: work.recipe === "command" ? null : (limits.time_s ?? null),
      memory_gib: limits.memory_gib ?? null,
    },
    ...(job.reverted_changes === null
      ? {}
      : { reverted_changes: JSON.parse(job.reverted_changes) as number[] }),
  };
}
