// Asks a running training to give way to an urgent one: a command to its worker, a time after which signals end it, and
// the note that makes its end no loss. How it goes on is the sink's, or `lost-attempts.ts`'s where its worker cannot tell.
// Takes the request back where nobody urgent waits any more: the worker decides whether it had begun to obey.
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Log } from "../../platform/log.ts";
import type { CommandBoard } from "./command-board.ts";
import type { CommandsStore } from "./commands-store.ts";
import type { JobChanges } from "./job-changes.ts";
import { isRoomWanted } from "./planning/preempt.ts";
import { yieldingSentence } from "./planning/sentences.ts";
import type { Preemption } from "./planning/types.ts";
import type { PreemptionsStore } from "./preemptions-store.ts";
import type { QueueStore } from "./store.ts";
import type { JobRow } from "./tables.ts";

/** A worker obeys between two steps, and an evaluation may stand between them. Then it goes on from its last checkpoint. */
export const YIELD_GRACE_S = 120;

export interface PreemptionParts {
  readonly store: QueueStore;
  readonly asking: PreemptionsStore;
  readonly commands: CommandsStore;
  readonly changes: JobChanges;
  readonly board: CommandBoard;
  readonly audit: AuditRecorder;
  readonly log: Log;
  readonly now: () => number;
}

export class Preemptions {
  readonly #parts: PreemptionParts;

  constructor(parts: PreemptionParts) {
    this.#parts = parts;
  }

  /** Does nothing where the victim has ended, or was told something else, since the plan was made. */
  async ask({ victim, by }: Preemption): Promise<void> {
    const { store, asking, commands, changes, board, audit, log, now } = this.#parts;
    const [job, urgent] = await Promise.all([store.job(victim), store.job(by)]);
    if (job === undefined || urgent === undefined) return;
    const seen = job.project_id === urgent.project_id ? by : null;
    const asked = await changes.change(async (transaction) => {
      const isAsked = await asking.ask(transaction, job, {
        preempted_by: by,
        kill_at: now() + YIELD_GRACE_S,
        reason: yieldingSentence(seen),
      });
      if (!isAsked) return [];
      await commands.insert(transaction, {
        ...{ job_id: victim, attempt: job.current_attempt, action: "preempt" },
        ...{ created_at: now(), created_by: null, created_by_name: null },
        ...{ wish: {}, restart: null },
      });
      return [victim];
    });
    if (asked.length === 0) return;
    board.wake(victim);
    log.info({ job_id: victim, by }, "A training gives way to an urgent one.");
    await audit.record({
      ...{ userId: null, userName: null, action: "run-preempted", subjectKind: "run" },
      ...{ subjectId: victim, projectId: job.project_id },
      details: seen === null ? {} : { by },
    });
  }

  /** @param queued all trainings that wait */
  async withdraw(queued: readonly JobRow[]): Promise<void> {
    if (isRoomWanted(queued)) return;
    const { asking, now } = this.#parts;
    for (const victim of await asking.asked(now())) await this.#letStay(victim);
  }

  /** It still counts as one that gives way until its worker has answered: it may have saved its state already. */
  async #letStay(victim: JobRow): Promise<void> {
    const { asking, commands, changes, board, audit, log, now } = this.#parts;
    const { id, current_attempt: attempt } = victim;
    const told = await changes.change(async (transaction) => {
      if (!(await asking.letStay(transaction, victim, now()))) return [];
      await commands.insert(transaction, {
        ...{ job_id: id, attempt, action: "stay", wish: {}, restart: null },
        ...{ created_at: now(), created_by: null, created_by_name: null },
      });
      return [id];
    });
    if (told.length === 0) return;
    board.wake(id);
    log.info({ job_id: id }, "A training need not give way any more.");
    await audit.record({
      ...{ userId: null, userName: null, action: "run-preemption-withdrawn" },
      ...{ subjectKind: "run", subjectId: id, projectId: victim.project_id },
    });
  }
}
