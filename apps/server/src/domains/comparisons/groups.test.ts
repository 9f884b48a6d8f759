// Which runs are the same training with another seed.
import type { ForkKept, LaterValue } from "@spotter/contract";
import { expect, it } from "vitest";
import { configRows, isSeedKey, MAX_CONFIG_ROWS } from "./config-diff.ts";
import { type GroupedRun, groupRuns, seedOf, seedsSince } from "./groups.ts";

const SCRATCH: GroupedRun["began"] = {
  origin: { forks: [], values: [], model: null },
  key: "null",
};

function run(
  id: number,
  config: Record<string, unknown>,
  more: object = {},
  changes: GroupedRun["changes"] = [],
  began: GroupedRun["began"] = SCRATCH,
): GroupedRun {
  const summary = { id, name: `run-${id}`, recipe: "vision", source: "recipe" };
  return { summary: { ...summary, ...more } as GroupedRun["summary"], config, changes, began };
}

/** A fork of this step of a run, as the runs room tells it. */
function fork(
  parent: number,
  step: number,
  keep: Partial<ForkKept> = {},
  values: LaterValue[] = [],
): GroupedRun["began"] {
  const kept = { optimizer: true, scheduler: true, rng: false, data_position: false, ...keep };
  const forks = [{ parent_id: parent, step, keep: kept, changes: [] }];
  return { origin: { forks, values, model: null }, key: JSON.stringify([parent, step, kept]) };
}

it("puts runs together that differ in the seed only, whatever the order of the keys", () => {
  const groups = groupRuns([
    run(1, { optimizer: { lr: 0.1, name: "adam" }, seed: 1 }),
    run(2, { seed: 2, optimizer: { name: "adam", lr: 0.1 } }),
    run(3, { optimizer: { lr: 0.3, name: "adam" }, seed: 1 }),
  ]);
  expect(groups).toEqual([
    { id: "A", label: "lr 0.1", labelZh: "lr 0.1", runIds: [1, 2] },
    { id: "B", label: "lr 0.3", labelZh: "lr 0.3", runIds: [3] },
  ]);
});

it("keeps apart what chooses other data, or another recipe", () => {
  const config = { lr: 0.1, seed: 1 };
  expect(groupRuns([run(1, config), run(2, { ...config, split_seed: 7 })])).toHaveLength(2);
  expect(groupRuns([run(1, config), run(2, config, { recipe: "audio" })])).toHaveLength(2);
});

it("keeps apart what began otherwise: another run, another step, or other things kept", () => {
  const config = { lr: 0.1 };
  const groups = groupRuns([
    run(1, { ...config, seed: 1 }),
    run(23, { ...config, seed: 23 }, {}, [], fork(14, 420)),
    run(29, { ...config, seed: 23 }, {}, [], fork(14, 315)),
    run(24, { ...config, seed: 24 }, {}, [], fork(14, 420)),
    run(30, { ...config, seed: 24 }, {}, [], fork(14, 315)),
    run(32, { ...config, seed: 1 }, {}, [], fork(14, 420, { rng: true, data_position: true })),
    run(33, { ...config, seed: 1 }, {}, [], fork(15, 420)),
  ]);
  expect(groups.map(({ runIds }) => runIds)).toEqual([[1], [23, 24], [29, 30], [32], [33]]);
});

it("names a group by the checkpoint that it forks, and by what came only from then on", () => {
  const since = (step: number) => [{ key: "learning_rate", to: 1e-4, from_step: step + 1 }];
  const low = { learning_rate: 1e-4, epochs: 23 };
  const groups = groupRuns([
    run(14, { learning_rate: 0.003, epochs: 20 }),
    run(23, low, {}, [], fork(14, 420, {}, since(420))),
    run(29, low, {}, [], fork(14, 315, {}, since(315))),
    run(40, low),
  ]);
  expect(groups.map(({ label }) => label)).toEqual([
    "learning_rate 0.003, epochs 20",
    "epochs 23, learning_rate 0.0001 from step 421; fork of 14 @ 420",
    "epochs 23, learning_rate 0.0001 from step 316; fork of 14 @ 315",
    "learning_rate 0.0001, epochs 23",
  ]);
  expect(groups[1]?.labelZh).toBe(
    "epochs 23, learning_rate 自第 421 步起为 0.0001；分叉自 14 @ 420",
  );
  const kept = groupRuns([
    run(23, low, {}, [], fork(14, 420)),
    run(32, low, {}, [], fork(14, 420, { rng: true })),
  ]);
  expect(kept.map(({ label }) => label)).toEqual([
    "fork of 14 @ 420 keeping weights, optimizer, schedule",
    "fork of 14 @ 420 keeping weights, optimizer, schedule, random state",
  ]);
});

it("takes equal seeds for the same luck from the first step on, or since the same checkpoint", () => {
  const version = { ...SCRATCH, origin: { forks: [], values: [], model: { model_version: 3 } } };
  expect(seedsSince(version)).toBe(seedsSince(SCRATCH));
  expect(seedsSince({ origin: null, key: "null" })).toBe(seedsSince(SCRATCH));
  expect(seedsSince(fork(14, 420))).toBe(seedsSince(fork(14, 420)));
  const since = [SCRATCH, fork(14, 420), fork(14, 315), fork(15, 420)].map(seedsSince);
  expect(new Set(since).size).toBe(4);
});

it("keeps apart what was changed in mid-training, unless the same was changed at the same step", () => {
  const changed = (key: string, to: number, from_step: number) => ({
    ...{ key, from: 0.5, to, from_step },
    ...{ at: from_step, by_name: "ada", reason: null },
  });
  const lower = (fromStep: number) => [changed("learning_rate", 1e-4, fromStep)];
  const many = ["beta1", "beta2", "weight_decay"].map((name) => changed(name, 0, 9));
  const groups = groupRuns([
    run(1, { lr: 0.1, seed: 1 }),
    run(2, { lr: 0.1, seed: 2 }, {}, lower(286)),
    run(3, { lr: 0.1, seed: 3 }),
    run(4, { lr: 0.1, seed: 4 }, {}, lower(286)),
    run(5, { lr: 0.1, seed: 5 }, {}, lower(300)),
    run(6, { lr: 0.1, seed: 6 }, {}, [...lower(2), ...many]),
  ]);
  expect(groups.map(({ label, runIds }) => [label, runIds])).toEqual([
    ["run-1", [1, 3]],
    ["learning_rate 0.0001 from step 286", [2, 4]],
    ["learning_rate 0.0001 from step 300", [5]],
    ["4 later changes", [6]],
  ]);
  const [, other] = groupRuns([run(1, { lr: 0.1 }), run(2, { lr: 0.3 }, {}, lower(286))]);
  expect(other?.label).toBe("lr 0.3, learning_rate 0.0001 from step 286");
});

it("never takes runs for the same that tell no config", () => {
  const groups = groupRuns([run(1, {}), run(2, {}), run(3, {}, { name: "run-1" })]);
  expect(groups.map(({ label }) => label)).toEqual(["run-1 (#1)", "run-2", "run-1 (#3)"]);
});

it("reads fifty configs of a thousand keys of their own in one go", () => {
  const own = (id: number) =>
    Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`run${id}.key${n}`, n]));
  const many = Array.from({ length: 50 }, (_, id) => own(id));
  // Compared key by key and run by run this would take longer than the test may.
  expect(groupRuns(many.map((config, id) => run(id + 1, config)))).toHaveLength(50);
  const { rows, numKeys } = configRows([...many, { ...own(0), shared: 1 }]);
  expect(numKeys).toBe(50_001);
  expect(rows).toHaveLength(MAX_CONFIG_ROWS);
});

it("shows the keys that differ before the others where there are too many", () => {
  const same = Object.fromEntries(Array.from({ length: 1200 }, (_, n) => [`key${n}`, n]));
  const { rows } = configRows([
    { ...same, last: 1 },
    { ...same, last: 2 },
  ]);
  expect(rows[0]).toMatchObject({ key: "last", differs: true, values: ["1", "2"] });
  expect(rows.filter(({ differs }) => differs)).toHaveLength(1);
});

it("names groups by the run where they differ in too much to read", () => {
  const [first] = groupRuns([
    run(1, { a: 1, b: 1, c: 1, d: 1 }),
    run(2, { a: 2, b: 2, c: 2, d: 2 }),
  ]);
  expect(first?.label).toBe("run-1");
});

it("writes whole keys where their last parts are the same", () => {
  const [first] = groupRuns([
    run(1, { a: { lr: 1 }, b: { lr: 2 } }),
    run(2, { a: { lr: 3 }, b: { lr: 4 } }),
  ]);
  expect(first?.label).toBe("a.lr 1, b.lr 2");
});

it("counts on behind Z", () => {
  const groups = groupRuns(Array.from({ length: 28 }, (_, index) => run(index + 1, { lr: index })));
  expect(groups.map(({ id }) => id).slice(24)).toEqual(["Y", "Z", "AA", "AB"]);
});

it("reads the seed wherever the config has it", () => {
  expect(seedOf({ seed: 3 })).toBe("3");
  expect(seedOf({ train: { random_seed: "a" } })).toBe("a");
  expect(seedOf({ seed: null, split_seed: 4 })).toBeNull();
  expect([isSeedKey("manual_seed"), isSeedKey("data_seed")]).toEqual([true, false]);
});

it("shows configs side by side, telling a number from its text and a missing key from null", () => {
  const { rows } = configRows([
    { lr: 0.1, data: { builtin: "digits" }, tags: [], same: true, seed: 1 },
    { lr: "0.1", data: { builtin: "digits" }, note: null, same: true, seed: 2 },
  ]);
  expect(rows).toEqual([
    { key: "lr", values: ["0.1", "0.1"], differs: true, is_seed: false },
    { key: "data.builtin", values: ["digits", "digits"], differs: false, is_seed: false },
    { key: "tags", values: ["[]", null], differs: true, is_seed: false },
    { key: "same", values: ["true", "true"], differs: false, is_seed: false },
    { key: "seed", values: ["1", "2"], differs: true, is_seed: true },
    { key: "note", values: [null, "null"], differs: true, is_seed: false },
  ]);
});
