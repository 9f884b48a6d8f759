import type { MetricAppended, SeriesWindow } from "@spotter/contract";
import { expect, test } from "vitest";
import { SeriesLoader } from "./series-loader.ts";
import { SeriesStore } from "./series-store.ts";
import { emptyWindow, type WindowRequest } from "./window-request.ts";

function request(name: string, change: Partial<WindowRequest> = {}): WindowRequest {
  return {
    runId: 1,
    name,
    x: "step",
    from: null,
    to: null,
    maxPoints: 300,
    superseded: false,
    ...change,
  };
}
function windowOf(name: string, change: Partial<SeriesWindow> = {}): SeriesWindow {
  return { ...emptyWindow(request(name)), ...change };
}
function appended(commit_no: number, name: string, step: number): MetricAppended {
  return {
    type: "metric-appended",
    run_id: 1,
    commit_no,
    attempt: 1,
    series: { [name]: { step: [step], time: [step], value: [step] } },
  };
}

/** A server whose answers the test gives by hand. */
function manualServer() {
  const calls: {
    names: string[];
    signal: AbortSignal;
    answer(windows: SeriesWindow[]): void;
    fail(): void;
  }[] = [];
  const loader = new SeriesLoader(
    (requests, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        calls.push({
          names: requests.flatMap((one) => one.names),
          signal,
          answer: resolve,
          fail: () => reject(new Error("down")),
        });
      }),
  );
  return { calls, loader };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

test("what is asked in one moment travels together, three calls at most at a time", async () => {
  const { calls, loader } = manualServer();
  const store = new SeriesStore(loader);
  for (let index = 0; index < 70; index++) store.watch(request(`m${index}`), () => undefined);
  await settled();
  expect(calls.map((call) => call.names.length)).toEqual([16, 16, 16]);
  calls[0]?.answer([]);
  await settled();
  expect(calls).toHaveLength(4);
});

test("other windows do not travel in one call, for their answers would look alike", async () => {
  const { calls, loader } = manualServer();
  const store = new SeriesStore(loader);
  store.watch(request("loss"), () => undefined);
  store.watch(request("loss", { from: 5, to: 9 }), () => undefined);
  await settled();
  expect(calls).toHaveLength(2);
});

test("what nobody waits for any more is called back", async () => {
  const { calls, loader } = manualServer();
  const store = new SeriesStore(loader);
  const watched = store.watch(request("loss"), () => undefined);
  await settled();
  watched.release();
  expect(calls[0]?.signal.aborted).toBe(true);
});

test("batches that come while history is read are merged behind it, none twice", async () => {
  const { calls, loader } = manualServer();
  const store = new SeriesStore(loader);
  let changes = 0;
  const watched = store.watch(request("loss"), () => changes++);
  await settled();
  store.apply([appended(4, "loss", 4), appended(5, "loss", 5), appended(6, "loss", 6)]);
  const history = windowOf("loss", { commit_no: 5, total_points: 5 });
  calls[0]?.answer([history]);
  await settled();
  expect(watched.window?.buckets.first_step).toEqual([6]);
  expect(watched.window?.total_points).toBe(6);
  expect(changes).toBe(1);
  store.apply([appended(7, "loss", 7), appended(7, "loss", 7)]);
  expect(watched.window?.buckets.first_step).toEqual([6, 7]);
  expect(changes).toBe(2);
});

test("a window that was read before the stream opened is read again, once", async () => {
  const { calls, loader } = manualServer();
  const store = new SeriesStore(loader);
  store.watch(request("loss"), () => undefined);
  await settled();
  calls[0]?.answer([windowOf("loss", { commit_no: 3 })]);
  await settled();
  store.ensureUpTo(new Map([[1, 9]]));
  await settled();
  expect(calls).toHaveLength(2);
  calls[1]?.answer([windowOf("loss", { commit_no: 3 })]);
  await settled();
  expect(calls).toHaveLength(2);
});

test("a failed read keeps the old data and can be tried again", async () => {
  const { calls, loader } = manualServer();
  const store = new SeriesStore(loader);
  const watched = store.watch(request("loss"), () => undefined);
  await settled();
  calls[0]?.answer([windowOf("loss", { total_points: 8 })]);
  await settled();
  store.refetch();
  await settled();
  calls[1]?.fail();
  await settled();
  expect(watched.error).toBeInstanceOf(Error);
  expect(watched.window?.total_points).toBe(8);
  store.retry();
  await settled();
  calls[2]?.answer([windowOf("loss", { total_points: 9 })]);
  await settled();
  expect(watched.error).toBeNull();
});

test("a released window answers at once until the memory is full", async () => {
  const { calls, loader } = manualServer();
  const store = new SeriesStore(loader, 3000);
  for (const name of ["a", "b", "c"]) {
    const watched = store.watch(request(name), () => undefined);
    await settled();
    calls[calls.length - 1]?.answer([windowOf(name)]);
    await settled();
    watched.release();
  }
  expect(store.watch(request("c"), () => undefined).window).not.toBeNull();
  expect(store.watch(request("a"), () => undefined).window).toBeNull();
});
