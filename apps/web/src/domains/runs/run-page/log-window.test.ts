import type { LogLine } from "@spotter/contract";
import { expect, test } from "vitest";
import { MAX_LINES, mergeLines, passes, stepOf, trimLines, visibleRows } from "./log-window.ts";

function line(
  line_no: number,
  text = `line ${line_no}`,
  level: LogLine["level"] = "info",
): LogLine {
  return { line_no, attempt: 1, time: line_no, stream: "stdout", level, text, step: null };
}
const numbers = (lines: readonly LogLine[]) => lines.map((entry) => entry.line_no);

test("the live tail goes behind, older pages go before", () => {
  expect(numbers(mergeLines([line(5), line(6)], [line(7)]))).toEqual([5, 6, 7]);
  expect(numbers(mergeLines([line(5), line(6)], [line(3), line(4)]))).toEqual([3, 4, 5, 6]);
});

test("lines that came by page and by stream are there once", () => {
  expect(numbers(mergeLines([line(1), line(2)], [line(2), line(3)]))).toEqual([1, 2, 3]);
});

test("the end that is looked at is kept", () => {
  const many = Array.from({ length: MAX_LINES + 5 }, (_, index) => line(index + 1));
  expect(trimLines(many, "newest")[0]?.line_no).toBe(6);
  expect(trimLines(many, "oldest")[0]?.line_no).toBe(1);
  expect(trimLines(many, "oldest")).toHaveLength(MAX_LINES);
});

test("the live tail passes the same filters as the pages", () => {
  expect(passes(line(1, "Loss 3", "info"), "all", "loss")).toBe(true);
  expect(passes(line(1, "Loss 3", "info"), "warning", "")).toBe(false);
  expect(passes(line(1, "Loss 3", "error"), "warning", "")).toBe(true);
  expect(passes(line(1, "Loss 3", "error"), "all", "accuracy")).toBe(false);
});

test("only rows near the view exist", () => {
  expect(visibleRows(10_000, 20, 100_000, 400)).toEqual({ first: 4980, end: 5040 });
  expect(visibleRows(3, 20, 0, 400)).toEqual({ first: 0, end: 3 });
});

test("a step is found in the tracker's field or in the text", () => {
  expect(stepOf({ step: 7, text: "step 9" })).toBe(7);
  expect(stepOf({ step: null, text: "epoch 2/25 step 1,042: loss 0.4" })).toBe(1042);
  expect(stepOf({ step: null, text: "first steps" })).toBeNull();
});
