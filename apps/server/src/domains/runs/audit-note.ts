// What the audit log keeps of whoever does something to a run.
import type { Caller } from "../../platform/route.ts";
import type { RunRow } from "./tables.ts";

export function who(caller: Caller, address: string) {
  return { userId: caller.userId, userName: caller.userName, address };
}

export function noteOf(row: RunRow, caller: Caller, address: string, action: string) {
  return {
    ...who(caller, address),
    action,
    subjectKind: "run",
    subjectId: row.id,
    projectId: row.project_id,
  };
}
