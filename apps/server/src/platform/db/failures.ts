// Turns what the two engines throw into the few failures that rooms may meet, and carries them between threads.
import type { ErrorCode } from "@spotter/contract";
import { SpotterError } from "../errors.ts";

/** A rule of the schema refused the write. A room catches `unique` where a name may be taken. */
export class ConstraintViolation extends Error {
  readonly kind: "unique" | "foreign-key" | "other";

  constructor(kind: ConstraintViolation["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ConstraintViolation";
    this.kind = kind;
  }
}

/** What an error is while it crosses from the write thread, where classes are lost. */
export interface WireFailure {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code?: ErrorCode;
  readonly details?: SpotterError["details"];
  readonly constraint?: ConstraintViolation["kind"];
}

export function toWireFailure(thrown: unknown): WireFailure {
  const error = translateSqliteFailure(thrown);
  const plain = { message: error.message, stack: error.stack };
  if (error instanceof SpotterError) return { ...plain, code: error.code, details: error.details };
  if (error instanceof ConstraintViolation) return { ...plain, constraint: error.kind };
  return plain;
}

export function fromWireFailure(failure: WireFailure): Error {
  const cause = new Error(failure.message);
  cause.stack = failure.stack;
  if (failure.code !== undefined)
    return new SpotterError(failure.code, failure.message, { details: failure.details, cause });
  if (failure.constraint !== undefined)
    return new ConstraintViolation(failure.constraint, failure.message, cause);
  return new Error(failure.message, { cause });
}

const sqliteCodes: Readonly<Record<string, ErrorCode>> = {
  SQLITE_BUSY: "database-busy",
  SQLITE_LOCKED: "database-busy",
  SQLITE_FULL: "disk-full",
};
const SQLITE_CONSTRAINT_UNIQUE = 2067;
const SQLITE_CONSTRAINT_PRIMARYKEY = 1555;
const SQLITE_CONSTRAINT_FOREIGNKEY = 787;

/** Errors of other kinds come back as they are. */
export function translateSqliteFailure(thrown: unknown): Error {
  const error = asError(thrown);
  const { sqliteCodeName: name, sqliteExtendedCode: extended } = error as Error & {
    sqliteCodeName?: string;
    sqliteExtendedCode?: number;
  };
  if (name === undefined) return error;
  const code = sqliteCodes[name];
  if (code !== undefined) return new SpotterError(code, undefined, { cause: error });
  if (name !== "SQLITE_CONSTRAINT") return error;
  const isUnique =
    extended === SQLITE_CONSTRAINT_UNIQUE || extended === SQLITE_CONSTRAINT_PRIMARYKEY;
  const isForeign = extended === SQLITE_CONSTRAINT_FOREIGNKEY;
  return new ConstraintViolation(
    isUnique ? "unique" : isForeign ? "foreign-key" : "other",
    error.message,
    error,
  );
}

// Classes and codes of PostgreSQL's appendix A: lost connection, not enough resources, rolled back by a
// conflict, shut down by an operator, lock or statement waited too long.
const busyStates = /^(08...|53[0-13]..|40...|57P..|55P03|57014|25P03)$/;
const busySystemCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
]);

export function translatePostgresFailure(thrown: unknown): Error {
  const error = asError(thrown);
  if (error instanceof SpotterError || error instanceof ConstraintViolation) return error;
  const state = (error as Error & { code?: string }).code ?? "";
  if (state === "53100") return new SpotterError("disk-full", undefined, { cause: error });
  if (state === "23505") return new ConstraintViolation("unique", error.message, error);
  if (state === "23503") return new ConstraintViolation("foreign-key", error.message, error);
  if (state.startsWith("23")) return new ConstraintViolation("other", error.message, error);
  if (busyStates.test(state) || busySystemCodes.has(state) || isLostConnection(error))
    return new SpotterError("database-busy", undefined, { cause: error });
  return error;
}

// pg has no codes for these.
function isLostConnection(error: Error): boolean {
  return /connection terminated|timeout exceeded when trying to connect|not queryable|Connection ended/i.test(
    error.message,
  );
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
