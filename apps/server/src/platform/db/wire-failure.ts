// What a SQLite error is, in words that can cross from the write thread, where classes are lost. Loads nothing of the
// contract: that would cost the thread more memory than all its own work.
import type { ErrorCode } from "@spotter/contract";

export interface WireFailure {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code?: ErrorCode;
  /** The message says precisely what was wrong, better than the table's sentence. */
  readonly isSentence?: boolean;
  readonly details?: unknown;
  readonly constraint?: "unique" | "foreign-key" | "other";
}

const codes: Readonly<Record<string, ErrorCode>> = {
  SQLITE_BUSY: "database-busy",
  SQLITE_LOCKED: "database-busy",
  SQLITE_FULL: "disk-full",
};
const UNIQUE = 2067;
const PRIMARY_KEY = 1555;
const FOREIGN_KEY = 787;

interface ThrownError extends Error {
  /** SQLite's. */
  readonly sqliteCodeName?: string;
  readonly sqliteExtendedCode?: number;
  /** A SpotterError's, thrown by a procedure. */
  readonly code?: string;
  readonly details?: unknown;
}

export function toWireFailure(thrown: unknown): WireFailure {
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as ThrownError;
  const { message, stack, details, sqliteExtendedCode } = error;
  // A single statement that is stepped, not run, throws without the code.
  const isFull = message === "database or disk is full";
  const sqliteCodeName = error.sqliteCodeName ?? (isFull ? "SQLITE_FULL" : undefined);
  const plain = { message, stack };
  if (error.name === "SpotterError")
    return { ...plain, code: error.code as ErrorCode, isSentence: true, details };
  if (sqliteCodeName === undefined) return plain;
  const code = codes[sqliteCodeName];
  if (code !== undefined) return { ...plain, code };
  if (sqliteCodeName !== "SQLITE_CONSTRAINT") return plain;
  const isUnique = sqliteExtendedCode === UNIQUE || sqliteExtendedCode === PRIMARY_KEY;
  const isForeign = sqliteExtendedCode === FOREIGN_KEY;
  return { ...plain, constraint: isUnique ? "unique" : isForeign ? "foreign-key" : "other" };
}
