// What is asked of the stream, and which event belongs to whom.
import type { LiveEvent, RunSummary } from "@spotter/contract";
import { expect, it } from "vitest";
import { advance, covers, eventFor, queryOf, unionOf } from "./live-request.ts";

const columns = { step: [1], time: [1], value: [0.5] };
const metric = (runId: number, ...names: string[]): LiveEvent => ({
  type: "metric-appended",
  run_id: runId,
  commit_no: 1,
  attempt: 1,
  series: Object.fromEntries(names.map((name) => [name, columns])),
});
const changed = (id: number): LiveEvent => ({ type: "run-changed", run: { id } as RunSummary });

it("asks once for what several parts of a page want", () => {
  const union = unionOf([
    { runIds: [42], topics: ["metrics"], metrics: ["train/"] },
    { runIds: [43], topics: ["logs"] },
    { runIds: [42], topics: ["metrics"], metrics: ["val/loss"] },
  ]);
  expect(union).toEqual({
    runIds: [43, 42],
    topics: ["logs", "metrics"],
    metrics: ["train/", "val/loss"],
  });
  expect(covers(union, { runIds: [42], topics: ["metrics"], metrics: ["train/"] })).toBe(true);
  expect(covers(union, { runIds: [42], topics: ["metrics"] })).toBe(false);
  expect(covers(union, { runIds: [44], topics: ["logs"] })).toBe(false);
});

it("asks for all metrics as soon as one part wants them all, or the names do not fit", () => {
  const some = { runIds: [1], topics: ["metrics"] as const, metrics: ["a"] };
  expect(unionOf([some, { runIds: [2], topics: ["metrics"] }])).not.toHaveProperty("metrics");
  const many = Array.from({ length: 2000 }, (_, index) => `layer/${index}`);
  expect(unionOf([{ ...some, metrics: many }])).not.toHaveProperty("metrics");
  expect(unionOf([{ ...some, metrics: ["a,b"] }])).not.toHaveProperty("metrics");
});

it("goes on behind the positions that it knows", () => {
  const positions = new Map([[42, 7]]);
  advance(positions, "42:1071,43:9");
  advance(positions, "42:5");
  const query = queryOf({ runIds: [44, 43, 42], topics: ["metrics"] }, positions);
  expect(query).toEqual({ runs: "44,43,42", topics: "metrics", after: "43:9,42:1071" });
});

it("hands an event only to those who asked for its run and topic", () => {
  const request = { runIds: [42], topics: ["metrics", "runs"] as const };
  expect(eventFor(metric(42, "train/loss"), request)).not.toBeNull();
  expect(eventFor(metric(43, "train/loss"), request)).toBeNull();
  expect(eventFor(changed(42), request)).not.toBeNull();
  expect(eventFor(changed(43), request)).toBeNull();
  expect(eventFor(changed(43), { runIds: [], topics: ["runs"] })).not.toBeNull();
  expect(eventFor({ type: "log-appended", run_id: 42, lines: [] }, request)).toBeNull();
});

it("keeps only the series that were asked for, by name or by prefix", () => {
  const request = { runIds: [42], topics: ["metrics"] as const, metrics: ["train/", "val/loss"] };
  const event = eventFor(metric(42, "train/loss", "val/loss", "val/accuracy"), request);
  expect(event?.type === "metric-appended" && Object.keys(event.series)).toEqual([
    "train/loss",
    "val/loss",
  ]);
  expect(eventFor(metric(42, "system/cpu"), request)).toBeNull();
});
