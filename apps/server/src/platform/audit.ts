// How a room writes a state change into the audit log without knowing the auth room, which keeps it.

import type { JsonObject } from "@spotter/contract";
import type { z } from "zod";

export interface AuditNote {
  /** Who did it; null for the server itself. */
  readonly userId: number | null;
  readonly userName: string | null;
  /** `run-created`, `signed-in`, …: noun first, past tense. */
  readonly action: string;
  readonly subjectKind?: string;
  readonly subjectId?: number;
  readonly projectId?: number;
  /** The caller's network address. */
  readonly address?: string;
  /** Never a secret. */
  readonly details?: z.infer<typeof JsonObject>;
}

export interface AuditRecorder {
  record(note: AuditNote): Promise<void>;
}
