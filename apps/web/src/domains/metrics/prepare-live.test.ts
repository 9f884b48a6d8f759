import type { SeriesWindow } from "@spotter/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { halveBuckets, type LiveWindow, mergeBatch, openLiveWindow } from "./prepare-live.ts";
import { emptyWindow } from "./window-request.ts";

const request = {
  runId: 1,
  name: "train/loss",
  x: "step" as const,
  from: null,
  to: null,
  maxPoints: 4,
  superseded: false,
};
function open(change: Partial<LiveWindow> = {}, window: Partial<SeriesWindow> = {}): LiveWindow {
  const live = openLiveWindow(
    { ...emptyWindow(request), ...window },
    { axis: "step", from: null, to: null, maxPoints: 4, superseded: false },
  );
  return Object.assign(live, change);
}
const columns = (steps: number[], values: (number | "NaN")[] = steps) => ({
  step: steps,
  time: steps.map((step) => step / 10),
  value: values,
});
const batch = (commit_no: number, attempt = 1) => ({ commit_no, attempt });

test("a batch that history holds already changes nothing", () => {
  const live = open({}, { commit_no: 5 });
  expect(mergeBatch(live, batch(5), columns([1]))).toBe("repeat");
  expect(mergeBatch(live, batch(6), columns([1]))).toBe("merged");
  expect(mergeBatch(live, batch(6), columns([1]))).toBe("repeat");
  expect(live.window.total_points).toBe(1);
});

test("a new attempt asks the server, which alone knows what it cut", () => {
  const live = open({}, { attempts: [{ attempt: 1, first_step: 0 }] });
  expect(mergeBatch(live, batch(1, 2), columns([1]))).toBe("refetch");
});

test("late points of an earlier attempt beyond the later one's start are superseded", () => {
  const live = open(
    {},
    {
      attempts: [
        { attempt: 1, first_step: 0 },
        { attempt: 2, first_step: 10 },
      ],
    },
  );
  mergeBatch(live, batch(1, 1), columns([9, 10, 11]));
  expect(live.window.buckets.first_step).toEqual([9]);
  expect(live.window.superseded_points).toBe(2);
});

test("a zoomed window takes only what falls into it, and still knows the newest value", () => {
  const live = open({ from: 10, to: 20 });
  expect(mergeBatch(live, batch(1), columns([5]))).toBe("outside");
  expect(mergeBatch(live, batch(2), columns([15, 25]))).toBe("merged");
  expect(live.window.buckets.first_step).toEqual([15]);
  expect(live.window.total_points).toBe(3);
  expect(live.window.last).toEqual({ step: 25, time: 2.5, value: 25 });
});

test("a late point joins the bucket that it falls into, or opens one between", () => {
  const live = open({ maxPoints: 100 });
  mergeBatch(live, batch(1), columns([0, 1, 10, 11]));
  halveBuckets(live.window.buckets);
  mergeBatch(live, batch(2), columns([5, 10], [50, -10]));
  expect(live.window.buckets.first_step).toEqual([0, 5, 10]);
  expect(live.window.buckets.min).toEqual([0, 50, -10]);
  expect(live.window.buckets.count).toEqual([2, 1, 3]);
});

test("NaN counts and leaves the mean of the others alone", () => {
  const live = open();
  mergeBatch(live, batch(1), columns([0, 1], [4, "NaN"]));
  halveBuckets(live.window.buckets);
  expect(live.window.buckets).toMatchObject({ mean: [4], min: [4], count: [2], nan: [1] });
});

test("however points arrive, buckets hold each exactly once with exact extremes", () => {
  const value = fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.constant(Number.NaN));
  const point = fc.record({ step: fc.integer({ min: 0, max: 200 }), value });
  fc.assert(
    fc.property(fc.array(fc.array(point, { maxLength: 20 }), { maxLength: 12 }), (batches) => {
      const live = open();
      batches.forEach((points, index) => {
        mergeBatch(live, batch(index + 1), {
          step: points.map((entry) => entry.step),
          time: points.map((entry) => entry.step),
          value: points.map((entry) => (Number.isNaN(entry.value) ? "NaN" : entry.value)),
        });
      });
      const all = batches.flat();
      const finite = all.map((entry) => entry.value).filter((one) => !Number.isNaN(one));
      const { buckets } = live.window;
      const sum = (column: number[]) => column.reduce((total, one) => total + one, 0);
      expect(sum(buckets.count)).toBe(all.length);
      expect(sum(buckets.nan)).toBe(all.length - finite.length);
      expect(buckets.count.length).toBeLessThanOrEqual(2 * live.maxPoints);
      const mins = buckets.min.filter((one) => one !== null);
      const maxs = buckets.max.filter((one) => one !== null);
      expect(Math.min(...mins)).toBe(Math.min(...finite));
      expect(Math.max(...maxs)).toBe(Math.max(...finite));
      for (let index = 1; index < buckets.count.length; index++)
        expect(buckets.first_step[index]).toBeGreaterThan(buckets.last_step[index - 1] ?? 0);
    }),
  );
});
