// What the audit log keeps about a change to a version: who, from where, which version.
import type { Caller } from "../../platform/route.ts";
import type { VersionRow } from "./tables.ts";

/** The person behind a change. */
export interface By {
  readonly caller: Caller;
  readonly address: string;
}

export function who({ caller, address }: By) {
  return { userId: caller.userId, userName: caller.userName, address };
}

export function noteOf(row: VersionRow, by: By, action: string) {
  return {
    ...who(by),
    action,
    subjectKind: "model-version",
    subjectId: row.id,
    projectId: row.project_id,
  };
}
