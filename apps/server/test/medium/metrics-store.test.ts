// The metrics store keeps every point exactly, whatever arrives and whenever it is sealed or the server is killed.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeTestPlace, openTestDatabase } from "../database.ts";
import {
  expectNeighbours,
  expectPoints,
  expectReplay,
  expectWindow,
  MetricsModel,
  type ModelPoint,
  type ModelSeries,
  type ModelWindow,
  openRoom,
  pointsEvent,
  RUN,
} from "../metrics-model.ts";

const value = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => x + 0) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  },
);
const point: fc.Arbitrary<ModelPoint> = fc.record({
  step: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: -5, max: 2 ** 40 })),
  time: fc.double({ min: 1.7e9, max: 1.7e9 + 1000, noNaN: true }),
  value,
});
const fewPoints = fc.array(point, { maxLength: 12 });
/** Enough for rollups and several segments; with a disorder now and then. */
const manyPoints = fc
  .record({ count: fc.constantFrom(700, 5000), from: fc.nat(5000), seed: fc.nat(1000) })
  .map(({ count, from, seed }) =>
    Array.from({ length: count }, (_, index): ModelPoint => {
      const noise = Math.sin((index + 1) * (seed + 17)) * 1000;
      return {
        step: from + index - (index % 97 === seed % 97 ? 40 : 0),
        time: 1.7e9 + index * 0.25 + (noise % 0.1),
        value: index % 211 === 0 ? Number.NaN : Math.fround(noise),
      };
    }),
  );
const name = fc.constantFrom("train/loss", "train/accuracy", "val/loss", "speed");
const series: fc.Arbitrary<ModelSeries> = fc.dictionary(
  name,
  fc.oneof({ weight: 12, arbitrary: fewPoints }, { weight: 1, arbitrary: manyPoints }),
  { maxKeys: 3, noNullPrototype: true },
);
const attempt = fc.integer({ min: 1, max: 3 });
const command = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant("send" as const), attempt, series }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("start" as const),
      attempt,
      firstStep: fc.integer({ min: 0, max: 400 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("seal" as const), hasEnded: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen" as const) }) },
);
const window: fc.Arbitrary<ModelWindow> = fc.record({
  x: fc.constantFrom("step" as const, "time" as const),
  from: fc.option(fc.integer({ min: -5, max: 6000 })),
  to: fc.option(fc.integer({ min: 0, max: 8000 })),
  maxPoints: fc.constantFrom(1, 7, 100, 2000),
  superseded: fc.boolean(),
});

describe("the metrics store", () => {
  it("answers every read as a plain list of commits would", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 1, maxLength: 30, size: "max" }),
        fc.array(window, { minLength: 3, maxLength: 6 }),
        fc.nat(),
        async (commands, windows, anywhere) => {
          const place = await makeTestPlace();
          let database = await openTestDatabase(place);
          let room = openRoom(database);
          const model = new MetricsModel();
          try {
            for (const command of commands) {
              if (command.kind === "send") {
                model.add(command.attempt, command.series);
                const before = model.commits.length;
                const commitNo = await room.send(command.attempt, [pointsEvent(command.series)]);
                if (commitNo !== null) expect(commitNo).toBe(before);
              } else if (command.kind === "start") {
                model.starts.set(command.attempt, command.firstStep);
                const { attempt, firstStep } = command;
                await room.send(attempt, [started(firstStep)]);
              } else if (command.kind === "seal") await room.sealer.sealRun(RUN, command.hasEnded);
              else {
                await database.close();
                database = await openTestDatabase(place);
                room = openRoom(database);
              }
            }
            await expectPoints(room, model, 1 + (anywhere % 900));
            await expectReplay(room, model, anywhere % (model.commits.length + 1), 3);
            for (const name of model.names())
              for (const request of windows) await expectWindow(room, model, name, onAxis(request));
          } finally {
            await database.close();
          }
        },
      ),
      { numRuns: Number(process.env.SPOTTER_TEST_RUNS ?? 12) },
    );
  }, 180_000);

  it("gives windows of a long series whose buckets are exact, reading little", async () => {
    const place = await makeTestPlace();
    const database = await openTestDatabase(place);
    const room = openRoom(database);
    const model = new MetricsModel();
    const all: ModelPoint[] = [];
    for (let batch = 0; batch < 40; batch += 1) {
      const points = Array.from({ length: 5000 }, (_, index): ModelPoint => {
        const step = batch * 5000 + index;
        const noise = Math.sin(step * 12.9898) * 43758.5453;
        const value = step % 9001 === 0 ? Number.NaN : Math.fround(noise - Math.floor(noise));
        return { step: step * 2, time: 1.7e9 + step * 0.1, value };
      });
      all.push(...points);
      model.add(1, { loss: points });
      await room.send(1, [pointsEvent({ loss: points })]);
      if (batch % 13 === 12) await room.sealer.sealRun(RUN, batch > 30);
    }
    for (const [from, to] of [
      [null, null],
      [1234, 398_765],
      [150_001, 151_001],
      [10_000, 60_000],
      [399_000, null],
    ] as const)
      for (const maxPoints of [2000, 300, 3])
        for (const x of ["step", "time"] as const) {
          const [low, high] =
            x === "step" ? [from, to] : [from && 1.7e9 + from * 0.05, to && 1.7e9 + to * 0.05];
          const [window] = await room.service.queryWindows(RUN, ["loss"], {
            x,
            from: low,
            to: high,
            maxPoints,
            superseded: false,
          });
          const shown = all.filter((one) => {
            const at = x === "step" ? one.step : one.time;
            return at >= (low ?? 0) && at <= (high ?? Number.POSITIVE_INFINITY);
          });
          expect(window?.num_points).toBe(shown.length);
          expect(window?.num_buckets).toBeLessThanOrEqual(maxPoints);
          expect(window?.num_buckets).toBeGreaterThan(Math.min(maxPoints, shown.length) / 3);
          if (window !== undefined) expectNeighbours(window, shown);
        }
    // Everything was sealed at batch 39 only up to there; the rest is the tail.
    await room.sealer.sealRun(RUN, true);
    room.store.bytesRead = 0;
    await room.service.queryWindows(RUN, ["loss"], onAxis({ maxPoints: 2000 }));
    expect(room.store.bytesRead).toBeLessThan(200_000 * 8 * 0.1);
  });
});

function onAxis(request: Partial<ModelWindow>): ModelWindow {
  const { x = "step", from = null, to = null, maxPoints = 1000, superseded = false } = request;
  if (x === "step") return { x, from, to, maxPoints, superseded };
  return {
    x,
    from: from === null ? null : 1.7e9 + from / 10,
    to: to === null ? null : 1.7e9 + to / 10,
    maxPoints,
    superseded,
  };
}

function started(firstStep: number) {
  return {
    type: "run-started" as const,
    time: 1,
    first_step: firstStep,
    resumed_from_step: null,
    total_steps: null,
    total_epochs: null,
    device: null,
    hostname: null,
    pid: null,
    model: null,
    data: null,
    config: null,
    derived: {},
    versions: {},
    standing: null,
  };
}
