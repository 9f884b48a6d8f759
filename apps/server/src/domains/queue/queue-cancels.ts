// Takes several waiting jobs out of the queue at once: each by itself, so that one that has started meanwhile, or is not
// the caller's to cancel, keeps none of the others.
import type { CancelResult } from "@spotter/contract";
import type { AuditRecorder } from "../../platform/audit.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import { jobNotFound, jobNotWaiting } from "./errors.ts";
import type { JobLifecycle } from "./lifecycle.ts";
import { mayCancel } from "./queue-view.ts";
import type { QueueStore } from "./store.ts";

export class QueueCancels {
  readonly #store: QueueStore;
  readonly #lifecycle: JobLifecycle;
  readonly #audit: AuditRecorder;

  constructor(parts: { store: QueueStore; lifecycle: JobLifecycle; audit: AuditRecorder }) {
    this.#store = parts.store;
    this.#lifecycle = parts.lifecycle;
    this.#audit = parts.audit;
  }

  async cancel(
    jobIds: readonly number[],
    caller: Caller,
    address: string,
  ): Promise<CancelResult[]> {
    const results: CancelResult[] = [];
    for (const id of new Set(jobIds)) {
      try {
        await this.#cancelOne(id, caller, address);
        results.push({ job_id: id, cancelled: true, code: null, message: null });
      } catch (error) {
        if (!(error instanceof SpotterError)) throw error;
        const { code, message } = error;
        results.push({ job_id: id, cancelled: false, code, message });
      }
    }
    return results;
  }

  async #cancelOne(id: number, caller: Caller, address: string): Promise<void> {
    const row = await this.#store.job(id);
    const isSeen = row !== undefined && (caller.isAdmin || caller.roles.has(row.project_id));
    if (row === undefined || !isSeen) throw jobNotFound(id);
    if (!mayCancel(row, caller))
      throw new SpotterError(
        "role-too-low",
        `Run ${id} may be taken out of the queue by members of its project; you are a viewer there.`,
        { details: { needed: "member", project_id: row.project_id } },
      );
    if (row.state !== "queued" || !(await this.#lifecycle.cancelQueued(id)))
      throw jobNotWaiting(id, (await this.#store.job(id))?.state ?? row.state);
    await this.#audit.record({
      ...{ userId: caller.userId, userName: caller.userName, address },
      ...{ subjectId: id, projectId: row.project_id },
      ...(row.kind === "train"
        ? { action: "run-controlled", subjectKind: "run", details: { action: "cancel" } }
        : { action: "job-cancelled", subjectKind: "job", details: { kind: row.kind } }),
    });
  }
}
