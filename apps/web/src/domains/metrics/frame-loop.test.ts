import { expect, test } from "vitest";
import { FrameLoop } from "./frame-loop.ts";

function fakeClock() {
  let now = 0;
  let next: (() => void) | null = null;
  return {
    clock: {
      requestFrame: (callback: () => void) => {
        next = callback;
      },
      now: () => now,
    },
    spend: (ms: number) => {
      now += ms;
    },
    frame: () => {
      const callback = next;
      next = null;
      callback?.();
    },
    isIdle: () => next === null,
  };
}

test("a chart that is dirty twice is painted once", () => {
  const { clock, frame } = fakeClock();
  const loop = new FrameLoop(clock, () => expect.unreachable());
  let painted = 0;
  const painter = { visible: true, paint: () => painted++ };
  loop.markDirty(painter);
  loop.markDirty(painter);
  frame();
  expect(painted).toBe(1);
});

test("what does not fit into eight milliseconds waits for the next frame, first come first painted", () => {
  const { clock, frame, spend, isIdle } = fakeClock();
  const loop = new FrameLoop(clock, () => expect.unreachable());
  const order: number[] = [];
  for (const id of [1, 2, 3])
    loop.markDirty({
      visible: true,
      paint: () => {
        order.push(id);
        spend(5);
      },
    });
  frame();
  expect(order).toEqual([1, 2]);
  frame();
  expect(order).toEqual([1, 2, 3]);
  expect(isIdle()).toBe(true);
});

test("at most two charts are painted in a frame, however fast they are", () => {
  const { clock, frame } = fakeClock();
  const loop = new FrameLoop(clock, () => expect.unreachable());
  let painted = 0;
  for (let index = 0; index < 5; index++) loop.markDirty({ visible: true, paint: () => painted++ });
  frame();
  expect(painted).toBe(2);
  frame();
  frame();
  expect(painted).toBe(5);
});

test("an unseen chart is not painted, and jobs come before painting", () => {
  const { clock, frame } = fakeClock();
  const loop = new FrameLoop(clock, () => expect.unreachable());
  const log: string[] = [];
  loop.markDirty({ visible: false, paint: () => log.push("hidden") });
  loop.markDirty({ visible: true, paint: () => log.push("painted") });
  loop.soon(() => log.push("job"));
  frame();
  expect(log).toEqual(["job", "painted"]);
});

test("a chart that fails is reported and does not stop the others", () => {
  const { clock, frame } = fakeClock();
  const errors: unknown[] = [];
  const loop = new FrameLoop(clock, (error) => errors.push(error));
  let painted = false;
  loop.markDirty({
    visible: true,
    paint: () => {
      throw new Error("no canvas");
    },
  });
  loop.markDirty({
    visible: true,
    paint: () => {
      painted = true;
    },
  });
  frame();
  expect(errors).toHaveLength(1);
  expect(painted).toBe(true);
});

test("a browser that is behind gets three frames to itself before the next chart", () => {
  const { clock, frame, spend } = fakeClock();
  const loop = new FrameLoop(clock, () => expect.unreachable());
  let painted = 0;
  for (let index = 0; index < 4; index++) loop.markDirty({ visible: true, paint: () => painted++ });
  frame();
  expect(painted).toBe(2);
  for (let late = 0; late < 3; late++) {
    spend(30);
    frame();
    expect(painted).toBe(2);
  }
  spend(30);
  frame();
  expect(painted).toBe(4);
});
