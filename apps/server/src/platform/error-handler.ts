// The one place where a failure becomes an answer: ours by the table, Fastify's by ours, anything else a 500 that the
// log explains.
import type { ErrorCode } from "@spotter/contract";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { SpotterError } from "./errors.ts";
import type { Log } from "./log.ts";

const byFastifyCode: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: "malformed-json",
  FST_ERR_CTP_EMPTY_JSON_BODY: "malformed-json",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "invalid-request",
  FST_ERR_CTP_BODY_TOO_LARGE: "body-too-large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported-media-type",
  FST_ERR_BAD_URL: "route-not-found",
  FST_ERR_ASYNC_CONSTRAINT: "route-not-found",
  FST_ERR_MAX_PARAM_LENGTH: "route-not-found",
  FST_ERR_ROUTE_MAX_PARAM_LENGTH: "route-not-found",
};
const byStatus: Readonly<Record<number, ErrorCode>> = {
  400: "invalid-request",
  404: "route-not-found",
  413: "body-too-large",
  414: "invalid-request",
  415: "unsupported-media-type",
  429: "too-many-requests",
  431: "invalid-request",
};

/** Answers with the envelope; an unexpected error is logged once, with the request's id. */
export function answerError(
  log: Log,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const known = toSpotterError(error);
  if (known === undefined) {
    log.error(describe(request, error), "A request failed by a mistake of ours.");
    const failure = new SpotterError("internal-error", undefined, {
      details: { request_id: request.id },
    });
    return reply.code(500).send(failure.toEnvelope());
  }
  if (known.status >= 500)
    log.warn({ ...describe(request, error), code: known.code }, "A request could not be served.");
  if (known.status === 503 && !reply.hasHeader("retry-after")) reply.header("retry-after", "1");
  return reply.code(known.status).send(known.toEnvelope());
}

function toSpotterError(error: unknown): SpotterError | undefined {
  if (error instanceof SpotterError) return error;
  const { code = "", statusCode, message } = error as Partial<FastifyError>;
  // Of the file system, wherever a room wrote a file; the quota of a user or project is a disk too.
  if (code === "ENOSPC" || code === "EDQUOT")
    return new SpotterError("disk-full", undefined, { cause: error });
  const known = byFastifyCode[code] ?? (isSyntaxError(error) ? "malformed-json" : undefined);
  if (known !== undefined) return new SpotterError(known, undefined, { cause: error });
  // Only what Fastify and its plugins throw has a status; an error of ours never comes by here with one.
  const status = statusCode ?? 500;
  if (status < 400 || status >= 500) return undefined;
  return new SpotterError(byStatus[status] ?? "invalid-request", message, { cause: error });
}

// The JSON parser's, for keys such as `__proto__`; it carries the status that Fastify gave it.
function isSyntaxError(error: unknown): boolean {
  return error instanceof SyntaxError && (error as Partial<FastifyError>).statusCode === 400;
}

function describe(request: FastifyRequest, error: unknown) {
  return {
    request_id: request.id,
    method: request.method,
    path: request.url.split("?", 1)[0],
    error,
  };
}
