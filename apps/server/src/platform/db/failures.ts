// Turns what the two engines throw into the few failures that rooms may meet.
import { SpotterError } from "../errors.ts";
import { toWireFailure, type WireFailure } from "./wire-failure.ts";

/** A rule of the schema refused the write. A room catches `unique` where a name may be taken. */
export class ConstraintViolation extends Error {
  readonly kind: "unique" | "foreign-key" | "other";

  constructor(kind: ConstraintViolation["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ConstraintViolation";
    this.kind = kind;
  }
}

/** What SQLite threw, here or in the write thread, as one of ours. */
export function fromWireFailure(failure: WireFailure, cause: Error = revive(failure)): Error {
  if (failure.code !== undefined) {
    const isSentence = failure.isSentence === true;
    return new SpotterError(failure.code, isSentence ? failure.message : undefined, {
      details: failure.details as SpotterError["details"],
      cause,
    });
  }
  if (failure.constraint !== undefined)
    return new ConstraintViolation(failure.constraint, failure.message, cause);
  return cause;
}

/** Errors of other kinds come back as they are. */
export function translateSqliteFailure(thrown: unknown): Error {
  return fromWireFailure(toWireFailure(thrown), asError(thrown));
}

function revive({ message, stack }: WireFailure): Error {
  const error = new Error(message);
  error.stack = stack;
  return error;
}

// Classes and codes of PostgreSQL's appendix A: lost connection, not enough resources, rolled back by a
// conflict, shut down by an operator, lock or statement waited too long.
const busyStates = /^(08...|53[0-13]..|40...|57P..|55P03|57014|25P03)$/;
const unfitStates = new Set(["22021", "22P05", "22003"]);
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
  // A character that PostgreSQL cannot keep (NUL), a number that its column cannot hold.
  if (unfitStates.has(state))
    return new SpotterError("invalid-request", error.message, { cause: error });
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
