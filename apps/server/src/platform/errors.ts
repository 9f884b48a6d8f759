// The one class in which every expected failure travels, and the shape in which it leaves the server.
import { type ErrorCode, type ErrorEnvelope, type ErrorIssue, errorTable } from "@spotter/contract";
import type { z } from "zod";

type Details = NonNullable<ErrorEnvelope["error"]["details"]>;

/** A failure of the table in the contract: code, status and what exactly was wrong. */
export class SpotterError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: Details | undefined;

  /** @param message what is wrong and what would be right; without one, the table's sentence */
  constructor(
    code: ErrorCode,
    message?: string,
    options: { details?: Details; cause?: unknown } = {},
  ) {
    super(message ?? errorTable[code].sentence, { cause: options.cause });
    this.name = "SpotterError";
    this.code = code;
    this.status = errorTable[code].status;
    this.details = options.details;
  }

  toEnvelope(): ErrorEnvelope {
    const { code, message, details } = this;
    return { error: details === undefined ? { code, message } : { code, message, details } };
  }
}

/** Checks by a schema; JSON that is nested too deeply for it is wrong like any other. */
export function safeParse<S extends z.ZodType>(schema: S, value: unknown, place: string) {
  try {
    return schema.safeParse(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidRequest([{ path: place, message: "is nested too deeply" }]);
  }
}

/** `invalid-request` with one line a field. */
export function invalidRequest(issues: readonly ErrorIssue[]): SpotterError {
  const first = issues[0];
  const message = first === undefined ? undefined : `${first.path}: ${first.message}`;
  return new SpotterError("invalid-request", message, {
    details: { issues: issues.map((issue) => ({ ...issue })) },
  });
}
