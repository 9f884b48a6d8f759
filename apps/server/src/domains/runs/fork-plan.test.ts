import { readFileSync } from "node:fs";
import path from "node:path";
import { LearningRates, recipes } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { type PlanInput, planFork, type Standing } from "./fork-plan.ts";
import { learningRate, type ScheduleConfig } from "./fork-schedule.ts";

type Config = PlanInput["before"];
const vision = (given: object = {}) => recipes.vision.config.parse(given) as unknown as Config;

/** In the middle of the sixth of 25 epochs of 10 steps. */
const MIDDLE: Standing = { step: 54, epoch: 5, batch: 4, drops: 0, schedule_start: 0 };

function plan(
  changes: Config,
  wish: Partial<PlanInput["wish"]> = {},
  more: Partial<PlanInput> = {},
) {
  return planFork({
    recipe: "vision",
    before: vision(),
    after: vision(changes),
    wish: { keep: {}, seeds: 1, changes, ...wish },
    standing: MIDDLE,
    batches: 10,
    ...more,
  });
}
const codes = (decided: ReturnType<typeof plan>) => decided.warnings.map(({ code }) => code);

describe("a fork's plan", () => {
  it("keeps everything where nothing changes, and says that it repeats its parent", () => {
    const decided = plan({});
    expect(decided.keep).toEqual({
      optimizer: true,
      scheduler: true,
      rng: true,
      data_position: true,
    });
    expect(decided.changes).toEqual([]);
    expect(decided.total_steps).toBe(250);
    expect(codes(decided)).toEqual(["repeats-parent"]);
  });

  it("shows what changes against the parent's config", () => {
    expect(plan({ learning_rate: 0.001, epochs: 30 })).toMatchObject({
      changes: [
        { key: "epochs", from: 25, to: 30 },
        { key: "learning_rate", from: 0.003, to: 0.001 },
      ],
      total_steps: 300,
    });
  });

  it("cannot keep the data position with another batch size, nor tell where it ends", () => {
    const decided = plan({ batch_size: 32 });
    expect(decided.keep).toMatchObject({ data_position: false, optimizer: true, rng: true });
    expect(decided.total_steps).toBeNull();
    expect(codes(decided)).toEqual(["data-position-lost"]);
    expect(decided.warnings[0]?.message).toContain("epoch 6 begins from its start");
  });

  it("counts an epoch that is gone through again", () => {
    expect(plan({}, { keep: { data_position: false } }).total_steps).toBe(254);
  });

  it("gives several forks seeds behind the parent's, and begins the random generators anew", () => {
    const decided = plan({}, { seeds: 3 });
    expect(decided.seeds).toEqual([1, 2, 3]);
    expect(decided.keep).toMatchObject({ rng: false, data_position: false });
    expect(codes(decided)).toEqual(["several-seeds", "data-position-lost"]);
    expect(plan({ seed: 40 }, { seeds: 2 }).seeds).toEqual([40, 41]);
  });

  it("warns that the schedule had decayed, and that a new one begins with a warm-up", () => {
    const standing = { ...MIDDLE, step: 248, epoch: 24, batch: 8 };
    expect(codes(plan({}, {}, { standing }))).toContain("schedule-decayed");
    const anew = plan({}, { keep: { scheduler: false } }, { standing });
    expect(codes(anew)).toContain("schedule-restarts");
    // One epoch of warm-up in the two steps that are left.
    expect(anew.learning_rate?.next).toBeCloseTo(0.0003, 12);
  });

  it("refuses what shapes the model, by field", () => {
    expect(() => plan({ width: 64, image_size: 16 })).toThrow(/image_size shapes .* width shapes/);
  });

  it("refuses to keep by insistence what the changes do not let be kept", () => {
    const changes = { optimizer: "sgd" };
    expect(() => plan(changes, { keep: { optimizer: true } })).toThrow(
      "optimizer cannot be kept when optimizer changes",
    );
    expect(codes(plan(changes))).toEqual(["optimizer-changes"]);
  });

  it("warns of a fork that would begin where its config ends, before anything else", () => {
    const standing = { ...MIDDLE, step: 250, epoch: 25, batch: 0 };
    expect(codes(plan({}, {}, { standing }))).toEqual(["no-steps-left"]);
    expect(plan({ epochs: 30 }, {}, { standing }).total_steps).toBe(300);
  });

  it("warns of leaks and of old gradients", () => {
    expect(codes(plan({ validation_fraction: 0.2 }))).toContain("split-changes");
    expect(codes(plan({ gradient_clip: 0.5 }))).toEqual(["optimizer-remembers"]);
    expect(codes(plan({}, { keep: { optimizer: false } }))).toEqual(["optimizer-begins-anew"]);
  });
});

describe("the learning rate before a fork", () => {
  const file = "packages/contract/golden/forks/LearningRates.every-schedule.json";
  const golden = LearningRates.parse(
    JSON.parse(readFileSync(path.resolve(import.meta.dirname, "../../../../..", file), "utf8")),
  );

  it.each(golden.cases)("is the worker's: $config.schedule", (one) => {
    const extent = { stepsPerEpoch: one.steps_per_epoch, totalSteps: one.total_steps };
    const config = one.config as unknown as ScheduleConfig;
    for (const [step, rate] of one.rates)
      expect(learningRate(config, extent, step, one.drops)).toBeCloseTo(rate, 12);
  });
});
