// Which runs are the same training with another seed.
import { expect, it } from "vitest";
import { configRows, isSeedKey, MAX_CONFIG_ROWS } from "./config-diff.ts";
import { type GroupedRun, groupRuns, seedOf } from "./groups.ts";

function run(
  id: number,
  config: Record<string, unknown>,
  more: object = {},
  changes: GroupedRun["changes"] = [],
): GroupedRun {
  const summary = { id, name: `run-${id}`, recipe: "vision", source: "recipe", parent_id: null };
  return { summary: { ...summary, ...more } as GroupedRun["summary"], config, changes };
}

it("puts runs together that differ in the seed only, whatever the order of the keys", () => {
  const groups = groupRuns([
    run(1, { optimizer: { lr: 0.1, name: "adam" }, seed: 1 }),
    run(2, { seed: 2, optimizer: { name: "adam", lr: 0.1 } }),
    run(3, { optimizer: { lr: 0.3, name: "adam" }, seed: 1 }),
  ]);
  expect(groups).toEqual([
    { id: "A", label: "lr 0.1", runIds: [1, 2] },
    { id: "B", label: "lr 0.3", runIds: [3] },
  ]);
});

it("keeps apart what chooses other data, another recipe, or a fork of another run", () => {
  const config = { lr: 0.1, seed: 1 };
  expect(groupRuns([run(1, config), run(2, { ...config, split_seed: 7 })])).toHaveLength(2);
  expect(groupRuns([run(1, config), run(2, config, { recipe: "audio" })])).toHaveLength(2);
  expect(groupRuns([run(1, config), run(2, config, { parent_id: 9 })])).toHaveLength(2);
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
    ["4 live changes", [6]],
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
