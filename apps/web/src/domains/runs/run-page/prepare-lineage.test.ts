import type { LineageNode } from "@spotter/contract";
import { expect, test } from "vitest";
import { ancestorsOf, changesText, lineageChart } from "./prepare-lineage.ts";

const keep = { optimizer: true, scheduler: true, rng: true, data_position: true };

function node(id: number, parent: [id: number, step: number] | null, last: number): LineageNode {
  return {
    ...{ id, name: `run ${id}`, source: "recipe", recipe: "vision", state: "finished" },
    ...{ owner_name: null, created_at: id, started_at: id, deleted_at: null, best: null },
    last_step: last,
    fork:
      parent === null
        ? null
        : {
            parent_id: parent[0],
            step: parent[1],
            keep,
            changes: [{ key: "learning_rate", from: 0.003, to: 0.001 }],
          },
  };
}

const family = [
  node(1, null, 100),
  node(2, [1, 60], 90),
  node(3, [1, 20], 100),
  node(4, [2, 80], 120),
];

test("a run's ancestors end where their descendant began", () => {
  expect(ancestorsOf(family, 4).map((one) => [one.node.id, one.untilStep])).toEqual([
    [2, 80],
    [1, 60],
  ]);
  expect(ancestorsOf(family, 1)).toEqual([]);
});

test("forks stand below their parent, by the step that they began at", () => {
  const { rows, maxStep } = lineageChart(family, 4);
  expect(rows.map((row) => [row.node.id, row.depth, row.parentRow, row.from, row.to])).toEqual([
    [1, 0, null, 0, 100],
    [3, 1, 0, 20, 100],
    [2, 1, 0, 60, 90],
    [4, 2, 2, 80, 120],
  ]);
  expect(maxStep).toBe(120);
  expect(rows.filter((row) => row.isInLine).map((row) => row.node.id)).toEqual([1, 2, 4]);
});

test("a fork whose parent is gone begins the picture, and is told to be an orphan", () => {
  const { rows } = lineageChart([node(4, [2, 80], 80)], 4);
  expect(rows[0]).toMatchObject({ depth: 0, parentRow: null, isOrphan: true, from: 80, to: 80 });
});

test("changes are written in one line", () => {
  expect(changesText(node(2, [1, 60], 90), (_key, value) => String(value))).toBe(
    "learning_rate 0.003 → 0.001",
  );
});
