// The audit log: appended to, read by pages, never changed.
import type { AuditEntry } from "@spotter/contract";
import type { AuditNote, AuditRecorder } from "../../platform/audit.ts";
import type { Database } from "../../platform/db/database.ts";

interface AuditRow {
  id: number;
  time: number;
  user_id: number | null;
  user_name: string | null;
  action: string;
  subject_kind: string | null;
  subject_id: number | null;
  project_id: number | null;
  address: string | null;
  details: string;
}

export interface AuditPage {
  readonly limit: number;
  /** Entries older than this id. */
  readonly before?: number;
  readonly action?: string;
  readonly userId?: number;
}

export class AuditStore implements AuditRecorder {
  readonly #database: Database;
  readonly #now: () => number;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  async record(note: AuditNote): Promise<void> {
    const row: Omit<AuditRow, "id"> = {
      time: this.#now(),
      user_id: note.userId,
      user_name: note.userName,
      action: note.action,
      subject_kind: note.subjectKind ?? null,
      subject_id: note.subjectId ?? null,
      project_id: note.projectId ?? null,
      address: note.address ?? null,
      details: JSON.stringify(note.details ?? {}),
    };
    await this.#kysely
      .insertInto("audit_log")
      .values(row as AuditRow)
      .execute();
  }

  /** Newest first. */
  async page(page: AuditPage): Promise<{ entries: AuditEntry[]; next_before: number | null }> {
    let query = this.#kysely
      .selectFrom("audit_log")
      .selectAll()
      .orderBy("id", "desc")
      .limit(page.limit + 1);
    if (page.before !== undefined) query = query.where("id", "<", page.before);
    if (page.action !== undefined) query = query.where("action", "=", page.action);
    if (page.userId !== undefined) query = query.where("user_id", "=", page.userId);
    const rows = await query.execute();
    const entries = rows
      .slice(0, page.limit)
      .map((row) => ({ ...row, details: JSON.parse(row.details) as AuditEntry["details"] }));
    return { entries, next_before: rows.length > page.limit ? (entries.at(-1)?.id ?? null) : null };
  }

  get #kysely() {
    return this.#database.kysely.withTables<{ audit_log: AuditRow }>();
  }
}
