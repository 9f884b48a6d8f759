// What runs in the background is waited for, and its failures are told.
import { describe, expect, it } from "vitest";
import { BackgroundWork } from "./background-work.ts";

describe("background work", () => {
  it("is finished once all of it is, also what was added while it ran", async () => {
    const done: string[] = [];
    const work = new BackgroundWork();
    const note = async (name: string) => {
      await new Promise((resolve) => setImmediate(resolve));
      done.push(name);
      if (name === "first") work.add(note("second"), (error) => expect.fail(String(error)));
    };
    work.add(note("first"), (error) => expect.fail(String(error)));
    await work.finished();
    expect(done).toEqual(["first", "second"]);
  });

  it("tells a failure, and goes on", async () => {
    const told: unknown[] = [];
    const work = new BackgroundWork();
    const failure = new Error("the disk is full");
    work.add(Promise.reject(failure), (error) => told.push(error));
    await work.finished();
    expect(told).toEqual([failure]);
  });
});
