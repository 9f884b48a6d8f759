// Items in, batches out: attempts, numbering, and hand-over that survives a crash at every moment.
import { expect, it } from "vitest";
import {
  deliverPending,
  deliverTensorboardItems,
  endTensorboardRun,
  newTensorboardRecord,
  type TensorboardItem,
  type TensorboardPorts,
  type TensorboardRecord,
} from "./tensorboard.ts";
import { EventBatch, type EventBatchInput } from "./worker-events.ts";

type Record = TensorboardRecord<number>;

function points(tag: string, ...steps: number[]): TensorboardItem {
  return {
    kind: "scalars",
    tag,
    step: steps,
    time: steps.map((step) => 1000 + step),
    value: steps,
  };
}

/** Keeps what it is told as the server does; the n-th call of all fails, before or after its effect. */
class World {
  saved: Record = newTensorboardRecord();
  readonly stored = new Map<string, EventBatch>();
  runs = 0;
  #calls = 0;
  failAt = Number.POSITIVE_INFINITY;
  failAfter = false;

  readonly ports: TensorboardPorts<number> = {
    openRun: () =>
      this.#call(() => {
        this.runs = 1;
        return 7;
      }),
    // A copy, as a file is.
    save: (record) =>
      this.#call(() => {
        this.saved = JSON.parse(JSON.stringify(record)) as Record;
      }),
    send: (_, batch) =>
      this.#call(() => {
        const key = `${batch.attempt}/${batch.seq}`;
        if (!this.stored.has(key)) this.stored.set(key, EventBatch.parse(batch));
      }),
  };

  async #call<T>(effect: () => T): Promise<T> {
    this.#calls += 1;
    const fails = this.#calls === this.failAt;
    if (fails && !this.failAfter) throw new Error("crash");
    const result = effect();
    if (fails) throw new Error("crash");
    return result;
  }

  steps(name: string): [attempt: number, step: number][] {
    return [...this.stored.values()].flatMap(({ attempt, events }) =>
      events.flatMap((event) =>
        event.type === "metric-points"
          ? (event.series[name]?.step ?? []).map((step): [number, number] => [attempt, step])
          : [],
      ),
    );
  }

  events(type: EventBatchInput["events"][number]["type"]) {
    return [...this.stored.values()].flatMap(({ events }) => events.filter((e) => e.type === type));
  }
}

async function follow(world: World, ...updates: TensorboardItem[][]): Promise<Record> {
  let record = world.saved;
  for (const [index, items] of updates.entries())
    record = await deliverTensorboardItems(record, items, index + 1, 5000, world.ports);
  return record;
}

it("starts the run with its hyperparameters and gathers points by series", async () => {
  const world = new World();
  const hparams: TensorboardItem = {
    kind: "hparams",
    hyperparameters: { lr: 0.1, deep: { momentum: Number.NaN } },
    startTime: 999,
  };
  await follow(world, [hparams, points("loss", 1, 2), points("acc", 1), points("loss", 3)]);
  expect(world.events("run-started")).toMatchObject([
    { time: 999, first_step: 0, config: { lr: 0.1, deep: { momentum: "NaN" } } },
  ]);
  expect(world.steps("loss").map(([, step]) => step)).toEqual([1, 2, 3]);
  expect(world.stored.size).toBe(1);
});

it("tells hyperparameters that come after points, without a new attempt", async () => {
  const world = new World();
  const late: TensorboardItem = { kind: "hparams", hyperparameters: { lr: 1 }, startTime: null };
  const record = await follow(world, [points("loss", 1)], [late, points("loss", 2)]);
  expect(record.progress.attempt).toBe(1);
  expect(world.events("run-started")).toMatchObject([{ config: null }, { config: { lr: 1 } }]);
});

it("begins an attempt at the step where a training was restarted", async () => {
  const world = new World();
  await follow(world, [
    points("loss", 1, 2, 3),
    { kind: "restart", step: 2 },
    points("loss", 2, 3),
  ]);
  expect([...world.stored.keys()]).toEqual(["1/1", "2/1"]);
  expect(world.events("run-started")).toMatchObject([{ first_step: 0 }, { first_step: 2 }]);
});

it("ends a run by its session's status, and goes on behind its last step without superseding", async () => {
  const world = new World();
  let record = await follow(world, [
    { kind: "session-end", status: "failure", endTime: 5 },
    points("loss", 1, 9),
  ]);
  record = await endTensorboardRun(record, 6000, world.ports);
  expect(world.events("run-ended")).toMatchObject([{ state: "failed", time: 1009 }]);
  expect(await endTensorboardRun(record, 6000, world.ports)).toBe(record);
  await deliverTensorboardItems(record, [points("val", 3)], 9, 7000, world.ports);
  expect(world.events("run-started")[1]).toMatchObject({ first_step: 10 });
  expect(world.steps("val")).toEqual([[2, 3]]);
});

it("counts what is not stored, and says it once in the run's log", async () => {
  const world = new World();
  const images: TensorboardItem = { kind: "skipped", content: "images", count: 2 };
  const record = await follow(world, [points("loss", 1), images], [images]);
  expect(record.progress.skipped).toEqual({ images: 4 });
  expect(world.events("log-lines")).toHaveLength(1);
});

it("makes no run of a folder without points, and takes any tag", async () => {
  const world = new World();
  await follow(world, [
    { kind: "skipped", content: "images", count: 2 },
    { kind: "problem", file: "a", message: "damaged" },
  ]);
  expect(world.runs).toBe(0);
  await follow(world, [points(`/a\u0000${"b".repeat(300)}/`, 1), points("//", 1)]);
  const [event] = world.events("metric-points");
  expect(event?.type === "metric-points" && Object.keys(event.series)).toEqual([
    `a ${"b".repeat(247)}`,
    "unnamed",
  ]);
});

it("loses and doubles nothing when it is killed before or after any call", async () => {
  const updates = [
    [points("loss", 1, 2)],
    [points("loss", 3), { kind: "restart" as const, step: 2 }, points("loss", 2)],
    [points("loss", 3, 4)],
  ];
  const undisturbed = new World();
  await follow(undisturbed, ...updates);
  for (let failAt = 1; failAt <= 12; failAt += 1)
    for (const failAfter of [false, true]) {
      const world = new World();
      world.failAt = failAt;
      world.failAfter = failAfter;
      await follow(world, ...updates).catch(() => undefined);
      // The next process: first what was under way, then everything behind the cursor, in one piece this time.
      const record = await deliverPending(world.saved, world.ports);
      const rest = updates.slice(record.cursor ?? 0).flat();
      if (rest.length > 0)
        await deliverTensorboardItems(record, rest, updates.length, 5000, world.ports);
      expect(world.steps("loss"), `call ${failAt}`).toEqual(undisturbed.steps("loss"));
    }
});
