// Moves versions between stages, and finds what a roll back brings.
import type { ModelStage } from "@spotter/contract";
import type { AuditRecorder } from "../../platform/audit.ts";
import { type By, noteOf } from "./audit-note.ts";
import { noEarlierProduction, versionNotFound, versionNotReady } from "./errors.ts";
import { rollBackTarget } from "./stages.ts";
import type { ModelsStore } from "./store.ts";
import type { VersionRow } from "./tables.ts";

export interface StagingParts {
  readonly store: ModelsStore;
  readonly audit: AuditRecorder;
  /** Unix seconds. */
  readonly now: () => number;
}

export class Staging {
  readonly #parts: StagingParts;

  constructor(parts: StagingParts) {
    this.#parts = parts;
  }

  /** The version that a roll back would bring; null when there is none. */
  async target(modelId: number): Promise<VersionRow | null> {
    const { store } = this.#parts;
    const changes = await store.stageChanges(modelId);
    const ids = [...new Set(changes.map(({ version_id: id }) => id))];
    const versions = new Map(
      (await Promise.all(ids.map((id) => store.version(id)))).flatMap((row) =>
        row === undefined || row.deleted_at !== null || row.storage === "missing"
          ? []
          : [[row.id, row] as const],
      ),
    );
    const current = [...versions.values()].find(({ stage }) => stage === "production");
    const target = rollBackTarget(changes, current?.id ?? null, (id) => versions.has(id));
    return target === null ? null : (versions.get(target) ?? null);
  }

  /** Throws `model-version-not-found` for a deleted version, `model-version-not-ready` for one without weights. */
  async set(
    row: VersionRow,
    stage: ModelStage,
    reason: string,
    by: By,
    isRollback = false,
  ): Promise<void> {
    const { store, audit, now } = this.#parts;
    if (row.stage === stage) return;
    if (row.deleted_at !== null)
      throw versionNotFound(`Version ${row.version} of ${row.name} is deleted; restore it first.`);
    if (stage === "production" && row.storage === "missing") throw versionNotReady();
    const former = await store.setStage(row.model_id, row.id, stage, {
      ...{ at: now(), by: by.caller.userId, byName: by.caller.userName, isRollback, reason },
    });
    await audit.record({
      ...noteOf(row, by, isRollback ? "model-rolled-back" : "model-version-staged"),
      details: {
        ...{ name: row.name, version: row.version, from: row.stage, to: stage, archived: former },
        ...(reason === "" ? {} : { reason }),
      },
    });
  }

  /** Throws `no-earlier-production`. */
  async rollBack(modelId: number, reason: string, by: By): Promise<void> {
    const target = await this.target(modelId);
    if (target === null) throw noEarlierProduction();
    await this.set(target, "production", reason, by, true);
  }
}
