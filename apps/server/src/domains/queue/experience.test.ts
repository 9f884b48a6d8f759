// What is guessed of a training's length, from those that finished.
import { describe, expect, it } from "vitest";
import { Experience } from "./experience.ts";
import type { PlanStore } from "./plan-store.ts";

const work = (config: object, recipe = "vision") => JSON.stringify({ recipe, config, places: {} });
const DIGITS = { data: { builtin: "digits" }, epochs: 10, learning_rate: 0.1, seed: 1 };
let id = 0;
const finished = (seconds: number, config: object, projectId = 1) => ({
  ...{ id: ++id, project_id: projectId, granted: null, seconds },
  work: work(config),
});

async function knowing(rows: readonly ReturnType<typeof finished>[]) {
  const store = { finishedTrainings: async () => rows } as unknown as PlanStore;
  const experience = new Experience(store, () => 1_000_000);
  await experience.refresh();
  return (config: object, projectId = 1) =>
    experience.lengthOf({ project_id: projectId, work: work(config) });
}

describe("the length of a training", () => {
  it("is that of equal ones, which differ in their seed only", async () => {
    const guess = await knowing([
      finished(100, { ...DIGITS, seed: 7 }),
      finished(120, { ...DIGITS, seed: 8 }),
      finished(900, { ...DIGITS, learning_rate: 0.2 }),
    ]);
    expect(guess({ ...DIGITS, seed: 9 })).toBe(100);
  });

  it("is else that of three alike, in proportion to their epochs", async () => {
    const alike = [0.2, 0.3, 0.4].map((rate, index) =>
      finished(100 + index, { ...DIGITS, learning_rate: rate }),
    );
    expect((await knowing(alike))({ ...DIGITS, epochs: 30 })).toBeCloseTo(303);
    expect((await knowing(alike.slice(1)))(DIGITS)).toBeNull();
  });

  it("is unknown where only other data, models or projects have been seen", async () => {
    const guess = await knowing([1, 2, 3].map((seed) => finished(50, { ...DIGITS, seed })));
    expect(guess({ ...DIGITS, data: { builtin: "mnist" } })).toBeNull();
    expect(guess(DIGITS, 2)).toBeNull();
    expect(guess(DIGITS)).toBe(50);
  });
});
