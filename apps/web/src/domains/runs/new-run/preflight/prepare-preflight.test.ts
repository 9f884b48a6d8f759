import type { PreflightReport } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import {
  envelopePath,
  freeSubject,
  memorySegments,
  overfitCurve,
  progressOf,
  rateCurve,
  spectrogramPixels,
  splitFindings,
  tokenText,
  viridis,
  withoutLabel,
} from "./prepare-preflight.ts";

type Memory = NonNullable<PreflightReport["memory"]>;
const memory: Memory = {
  device: "cpu",
  parts: [
    { name: "weights", bytes: 10 },
    { name: "process", bytes: 30 },
  ],
  processes: 2,
  total_bytes: 80,
  available_bytes: 160,
};

describe("the bar of memory", () => {
  it("is as long as what is there, and counts every process of a CPU training", () => {
    const { segments, usedShare } = memorySegments(memory);
    expect(segments.map(({ bytes, share }) => [bytes, share])).toEqual([
      [20, 0.125],
      [60, 0.375],
    ]);
    expect(usedShare).toBe(0.5);
  });

  it("is as long as what is needed where that is more, or where nobody knows what is there", () => {
    expect(memorySegments({ ...memory, available_bytes: 40 })).toMatchObject({
      whole: 80,
      usedShare: 2,
    });
    expect(memorySegments({ ...memory, available_bytes: null })).toMatchObject({
      whole: 80,
      usedShare: null,
    });
  });
});

describe("the curves", () => {
  const sweep = {
    learning_rates: [1e-6, 1e-4, 1e-2, 1],
    loss: [2, 1, "NaN", 90] as (number | "NaN")[],
    smoothed: [2, 1, 1, 90],
    ...{ suggested: 1e-3, steepest: null, diverged_at: 1, is_cut_short: false },
  };

  it("break where the loss is no number, and say how often", () => {
    const curve = rateCurve(sweep);
    expect(curve.lines[0]).toEqual([2, 1, null, 90]);
    expect(curve.numNonFinite).toBe(1);
    expect(curve.mark).toBe(1e-3);
    expect(curve.isLogX).toBe(true);
  });

  it("are cut above twice the first loss, so that the fall can be seen", () => {
    const [low, high] = rateCurve(sweep).range;
    expect(low).toBeLessThan(1);
    expect(high).toBeLessThan(5);
  });

  it("stand on a range also where all losses are equal or none is a number", () => {
    const base = { learning_rate: 0.1, steps: [0, 1], reached: false, is_cut_short: false };
    const flat = overfitCurve({ ...base, loss: [1, 1] }).range;
    expect(flat[1]).toBeGreaterThan(flat[0]);
    expect(overfitCurve({ ...base, loss: ["NaN", "NaN"] }).range).toEqual([0, 1]);
  });
});

it("a spectrogram has its lowest band at the bottom and time to the right", () => {
  const { width, height, pixels } = spectrogramPixels([
    [1, 0],
    [0, 0],
    [0, 0],
  ]);
  expect([width, height]).toEqual([3, 2]);
  expect([...pixels.slice((1 * 3 + 0) * 4, (1 * 3 + 0) * 4 + 3)]).toEqual(viridis(1));
  expect([...pixels.slice(0, 3)]).toEqual(viridis(0));
});

it("an envelope is mirrored, and silence is still a line", () => {
  expect(envelopePath([0, 1], 10, 20)).toBe("M2.5 9.5L7.5 0.0L7.5 20.0L2.5 10.5Z");
  expect(envelopePath([], 10, 20)).toBe("");
});

it("findings that ask for attention come apart from the others", () => {
  const finding = { code: "x", message: "", message_zh: "", field: null };
  const { troubles, fine, time } = splitFindings([
    { ...finding, severity: "problem" },
    { ...finding, severity: "ok" },
    { ...finding, code: "time", severity: "ok" },
  ]);
  expect([troubles.length, fine.length, time?.code]).toEqual([1, 1, "time"]);
});

it("a sentence beside a label of its own goes without its own", () => {
  expect(withoutLabel("Time: about 2 min for 1,000 steps.")).toBe("about 2 min for 1,000 steps.");
  expect(withoutLabel("时间：约 2 分钟。")).toBe("约 2 分钟。");
});

it("ends of lines and tabs get a sign", () => {
  expect([" ", "\n", "a b", "\t"].map(tokenText)).toEqual([" ", "⏎", "a b", "⇥"]);
});

it("progress counts the checks that are done", () => {
  expect(progressOf(null, true)).toBe(0);
  expect(progressOf({ done: ["build", "samples"] }, true)).toBe(0.25);
  expect(progressOf({ done: ["build", "samples", "data"] }, false)).toBe(0.5);
});

it("takes another learning rate for the same subject of the free looks, and anything else for a new one", () => {
  const subject = freeSubject("vision", { learning_rate: 9, width: 4 });
  expect(freeSubject("vision", { learning_rate: 0.1, width: 4 })).toBe(subject);
  expect(freeSubject("vision", { learning_rate: 9, width: 8 })).not.toBe(subject);
  expect(freeSubject("audio", { learning_rate: 9, width: 4 })).not.toBe(subject);
});
