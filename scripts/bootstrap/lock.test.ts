// Tests of the setup's lock: exclusion, and taking over from the dead.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withLock } from "./lock.mjs";

let folder = "";
let lockFile = "";

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "spotter-lock-"));
  lockFile = path.join(folder, "lock");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("two at once run one after the other, and the second says that it waits", async () => {
  const events: string[] = [];
  let finishFirst: () => void = () => expect.unreachable();
  const first = withLock(lockFile, async () => {
    events.push("first begins");
    await new Promise<void>((resolve) => {
      finishFirst = resolve;
    });
    events.push("first ends");
  });
  const second = withLock(
    lockFile,
    async () => {
      events.push("second runs");
    },
    (pid: number) => {
      events.push(`waits for ${pid === process.pid ? "the first" : "a stranger"}`);
      finishFirst();
    },
  );
  await Promise.all([first, second]);
  expect(events).toEqual(["first begins", "waits for the first", "first ends", "second runs"]);
});

test("the lock is given back when the work fails", async () => {
  await expect(withLock(lockFile, () => Promise.reject(new Error("broken")))).rejects.toThrow(
    "broken",
  );
  expect(await withLock(lockFile, () => Promise.resolve("runs"))).toBe("runs");
});

test.each([
  ["of a process that is gone", JSON.stringify({ pid: 2 ** 22 + 1, started: "1" })],
  [
    "of a process whose number somebody else has now",
    JSON.stringify({ pid: process.pid, started: "1" }),
  ],
  ["that a power cut left empty", ""],
])("a stale lock %s is taken over", async (_name, content) => {
  writeFileSync(lockFile, content);
  const holder = await withLock(
    lockFile,
    async () => JSON.parse(readFileSync(lockFile, "utf8")).pid,
  );
  expect(holder).toBe(process.pid);
});
