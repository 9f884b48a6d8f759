// What stands in which lane, and from when to when.
import type { JobNeeds, QueueEntry, QueueView } from "@spotter/contract";
import { expect, it } from "vitest";
import { prepareLanes } from "./prepare-lanes.ts";

const NOW = 1_000_000;
const needs = (gpus: number): JobNeeds => ({
  ...{ gpus, gpu_memory_gib: null, cpu_cores: 1, memory_gib: 1, disk_gib: 0 },
});
function entry(id: number, change: Partial<QueueEntry>): QueueEntry {
  return {
    ...{ job_id: id, kind: "train", name: `run-${id}`, project_id: 1, owner_id: 1 },
    ...{ owner_name: "ada", state: "running", position: null, priority: 0, needs: needs(1) },
    ...{
      gpus: [],
      limits: {},
      attempt: 1,
      reason: null,
      waits_for: null,
      preempted: null,
      created_at: 1,
    },
    ...{ queued_at: 1, started_at: NOW - 600, starts_at: null, ends_at: null },
    may: { reorder: true, highest_priority: 2, cancel: false },
    ...change,
  };
}
const waits = (id: number, change: Partial<QueueEntry>) =>
  entry(id, { state: "queued", position: 1, started_at: null, ...change });
function queue(numGpus: number, running: QueueEntry[], waiting: QueueEntry[] = []): QueueView {
  const gpus = Array.from({ length: numGpus }, (_, index) => ({
    ...{ index, name: "H100", memory_gib: 80 },
  }));
  return {
    ...{ time: NOW, running, ending: [], waiting, has_pinned: false, may_reorder_all: true },
    machine: { gpus, cpu_cores: 8, memory_gib: 64, disk_free_gib: 100 },
  };
}
const idsOf = (view: QueueView) =>
  prepareLanes(view).lanes.map(({ key, rows }) => [
    key,
    rows.map((row) => row.map(({ jobId }) => jobId)),
  ]);

it("gives each GPU a lane, and a forecast the lane that is free first", () => {
  const running = [
    entry(1, { gpus: [0], ends_at: NOW + 900 }),
    entry(2, { gpus: [1], ends_at: NOW + 300 }),
  ];
  const waiting = [waits(3, { starts_at: NOW + 300, ends_at: NOW + 600 })];
  expect(idsOf(queue(2, running, waiting))).toEqual([
    ["gpu-0", [[1]]],
    ["gpu-1", [[2, 3]]],
  ]);
});

it("puts what overlaps on a machine without GPUs below each other", () => {
  const running = [entry(1, { needs: needs(0) }), entry(2, { needs: needs(0) })];
  expect(idsOf(queue(0, running))).toEqual([["cpu", [[1], [2]]]]);
});

it("says what has happened, what is a forecast, and what nobody knows", () => {
  const view = prepareLanes(queue(1, [entry(1, { gpus: [0] })]));
  const bar = view.lanes[0]?.rows[0]?.[0];
  expect(bar).toMatchObject({ isOpen: true, to: 1, isCut: false, from: 0 });
  expect(bar?.sure).toBe(view.now);
  expect(view.ticks.length).toBeGreaterThan(1);
});

it("shows an empty lane where nothing runs", () => {
  expect(idsOf(queue(1, []))).toEqual([["gpu-0", [[]]]]);
});
