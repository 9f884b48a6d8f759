// The quick parser against the contract's schema, which alone decides.
import { EventBatch } from "@spotter/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SpotterError } from "../../platform/errors.ts";
import { batchParser, parseBySchema, parseQuickly, type SeriesCheck } from "./batch-parser.ts";

/** The slow and certain check; the metrics room's quick one has its own property test against the same schema. */
const checkBySchema: SeriesCheck = (series) => {
  const result = EventBatch.shape.events.element.safeParse({ type: "metric-points", series });
  if (!result.success || result.data.type !== "metric-points") return null;
  return Object.values(result.data.series).reduce((sum, { step }) => sum + step.length, 0);
};

const points = { step: [1, 2], time: [10, 11.5], value: [0.5, "NaN"] };
const event = fc.oneof(
  fc.constant({ type: "metric-points", series: { "train/loss": points } }),
  fc.constant({ type: "metric-points", series: { "/bad": points } }),
  fc.constant({ type: "metric-points", series: {}, extra: 1 }),
  fc.record({ type: fc.constant("heartbeat"), time: fc.double(), worker_pid: fc.constant(null) }),
  fc.record({
    type: fc.constantFrom("run-paused", "run-started", "nonsense"),
    time: fc.oneof(fc.nat(), fc.constant("x")),
    step: fc.oneof(fc.nat(), fc.double()),
    paused: fc.boolean(),
  }),
  fc.record({ type: fc.constant("run-started"), time: fc.nat() }),
  fc.jsonValue(),
);
const odd = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 12, arbitrary: usual as fc.Arbitrary<unknown> }, fc.jsonValue());
const batch = fc.oneof(
  fc.record(
    {
      protocol: fc.constant(1),
      attempt: odd(fc.integer({ min: -1, max: 5 })),
      source: odd(fc.constantFrom("worker", "supervisor")),
      seq: odd(fc.integer({ min: 0, max: 5 })),
      sent_at: odd(fc.double({ min: -1, max: 2e11 })),
      events: odd(fc.array(event, { maxLength: 3 })),
      stray: fc.jsonValue(),
    },
    { requiredKeys: ["protocol", "attempt", "seq", "events"] },
  ),
  fc.jsonValue(),
);

function outcome(parse: () => unknown): unknown {
  try {
    return { value: parse() };
  } catch (error) {
    const { code, details } = error as SpotterError;
    return { code, details };
  }
}

describe("the batch parser", () => {
  it("answers every body exactly as the schema does", () => {
    const parse = batchParser(checkBySchema);
    fc.assert(
      fc.property(batch, (body) => {
        expect(outcome(() => parse(body))).toEqual(outcome(() => parseBySchema(body)));
      }),
      { numRuns: 2000 },
    );
  });

  it("takes an ordinary batch of points without the schema", () => {
    const body = {
      protocol: 1,
      attempt: 2,
      source: "worker",
      seq: 7,
      sent_at: 12.5,
      events: [{ type: "metric-points", series: { "train/loss": points } }],
    };
    expect(parseQuickly(body, () => 2)).toEqual(body);
  });

  it("names the protocol when it is another one", () => {
    expect(outcome(() => parseBySchema({ protocol: 2 }))).toMatchObject({
      code: "protocol-unsupported",
    });
  });

  it("refuses more points than a batch may hold", () => {
    const body = {
      protocol: 1,
      attempt: 1,
      seq: 1,
      events: [{ type: "metric-points", series: {} }],
    };
    expect(outcome(() => batchParser(() => 200_001)(body))).toMatchObject({
      code: "body-too-large",
    });
  });
});
