// Which order is asked for when somebody moves a training.
import type { QueueEntry, QueueView } from "@spotter/contract";
import { expect, it } from "vitest";
import { orderForMove } from "./queue.ts";

function entry(id: number, change: Partial<QueueEntry> = {}): QueueEntry {
  return {
    ...{ job_id: id, kind: "train", name: `run-${id}`, project_id: 1, owner_id: 1 },
    ...{ owner_name: "ada", state: "queued", position: id, priority: 0, needs: null, gpus: [] },
    ...{ limits: {}, attempt: 0, reason: null, waits_for: null, created_at: 1, queued_at: 1 },
    ...{ started_at: null, starts_at: null, ends_at: null, preempted: null },
    may: { reorder: true, highest_priority: 2, cancel: true },
    ...change,
  };
}
function queue(waiting: QueueEntry[], mayAll = true): QueueView {
  return {
    time: 1,
    machine: null,
    running: [],
    ending: [],
    waiting,
    has_pinned: false,
    may_reorder_all: mayAll,
  };
}

it("names all trainings of one person in their new order", () => {
  const view = queue([entry(1), entry(2), entry(3)], false);
  expect(orderForMove(view, 3, 1)).toEqual([3, 1, 2]);
  expect(orderForMove(view, 1, null)).toEqual([2, 3, 1]);
});

it("names those of several people only as far as something changes", () => {
  const view = queue([entry(1), entry(2, { owner_id: 2 }), entry(3), entry(4, { owner_id: 2 })]);
  expect(orderForMove(view, 2, 1)).toEqual([2, 1]);
});

it("passes by what the caller may not move, and other classes", () => {
  const others = entry(2, {
    owner_id: 2,
    may: { reorder: false, highest_priority: null, cancel: false },
  });
  const view = queue([entry(1), others, entry(3), entry(4, { priority: -1 })], false);
  expect(orderForMove(view, 3, 1)).toEqual([3, 1]);
});

it("leaves it to the server to say why something cannot be", () => {
  const view = queue([entry(1, { priority: 1 }), entry(2)]);
  expect(orderForMove(view, 2, 1)).toEqual([2, 1]);
  expect(orderForMove(view, 9, 1)).toEqual([9, 1]);
});
