// The small value schemas that every domain's payloads are made of: ids, times, metric values, pages.
import { z } from "zod";

/** A positive database id. Jobs and runs share one sequence: run 42 is job 42. */
export const Id = z.number().int().positive().max(Number.MAX_SAFE_INTEGER);

/** An id inside a path or a query string, where everything arrives as text. */
export const IdText = z.string().regex(/^[1-9][0-9]{0,14}$/, "must be a positive whole number");

/** Seconds since 1970-01-01 UTC, with fractions. */
export const UnixTime = z.number().min(0).max(1e11);

/** What JSON cannot say as a number. */
export const NON_FINITE = ["NaN", "Infinity", "-Infinity"] as const;

/** A metric value on the wire: a number, or the name of a non-finite one. */
export const MetricValue = z.union([z.number(), z.enum(NON_FINITE)]);
export type MetricValue = z.infer<typeof MetricValue>;

/** Puts a float on the wire, keeping NaN and the infinities. */
export function encodeMetricValue(value: number): MetricValue {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
}

/** Takes a float off the wire. */
export function decodeMetricValue(value: MetricValue): number {
  return typeof value === "number" ? value : Number(value);
}

/** What `MetricName` asks for besides its length; for code that checks thousands of names at once. */
export const METRIC_NAME_PATTERN = /^(?!\/)[^\p{Cc}\p{Cs}]+(?<!\/)$/u;
export const MAX_METRIC_NAME_LENGTH = 250;

/** A metric name: `train/loss`; up to 250 characters, no control characters, no leading or trailing slash. */
export const MetricName = z
  .string()
  .min(1)
  .max(MAX_METRIC_NAME_LENGTH)
  .regex(METRIC_NAME_PATTERN, "must not hold control characters or begin or end with /");

/** A name that a person gives to a thing. */
export const Title = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, "must not hold control characters");

export const Tag = z.string().trim().min(1).max(60);

export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits");

/** JSON of any shape, for configs and details. */
export const Json = z.json();
export const JsonObject = z.record(z.string(), z.json());

/** The answer of calls that only succeed. */
export const Done = z.object({ done: z.literal(true) });

/** `limit` in a query string. */
export function limitText(fallback: number, maximum: number) {
  return z
    .string()
    .regex(/^[1-9][0-9]{0,6}$/, "must be a positive whole number")
    .refine((text) => Number(text) <= maximum, `must be at most ${maximum}`)
    .default(String(fallback));
}

export const BooleanText = z.enum(["true", "false"]);
