// A checkpoint that goes while a fork takes it: removed by its run, or by the sweep of those that no fork needs.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ForkOrigins, type Inspected } from "./fork-origins.ts";

it("is refused by name when it is gone before it is kept, and leaves nothing behind", async () => {
  const home = mkdtempSync(path.join(tmpdir(), "fork-origins-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const folder = path.join(home, "checkpoint");
  mkdirSync(folder);
  writeFileSync(path.join(folder, "progress.json"), "{}");
  const inspected: Inspected = {
    ...{ folder, files: ["progress.json", "manifest.json"], config: {} },
    standing: { step: 40, epoch: 1, batch: 0, drops: 0, schedule_start: 0 },
  };
  await expect(new ForkOrigins(home).keep("a".repeat(64), inspected)).rejects.toMatchObject({
    code: "checkpoint-damaged",
    message: expect.stringContaining("step 40"),
  });
  expect(readdirSync(path.join(home, "forks"))).toEqual([]);
});

it("is there for the fork when the sweep of those that nobody needs passes by meanwhile", async () => {
  const home = mkdtempSync(path.join(tmpdir(), "fork-origins-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const folder = path.join(home, "checkpoint");
  mkdirSync(folder);
  for (const name of ["progress.json", "manifest.json"])
    writeFileSync(path.join(folder, name), "{}");
  const inspected: Inspected = {
    ...{ folder, files: ["progress.json", "manifest.json"], config: {} },
    standing: { step: 40, epoch: 1, batch: 0, drops: 0, schedule_start: 0 },
  };
  // Of a fork that is gone; by this server's clock it is old.
  await new ForkOrigins(home).keep("a".repeat(64), inspected);
  const later = Date.now() / 1000 + 7_200;
  for (const isFirst of [true, false]) {
    const origins = new ForkOrigins(home);
    const sweep = () => origins.sweep(new Set(), later);
    const keep = () => origins.keep("a".repeat(64), inspected);
    const [kept] = isFirst
      ? await Promise.all([keep(), sweep()])
      : (await Promise.all([sweep(), keep()])).toReversed();
    expect(existsSync(path.join(String(kept), "progress.json"))).toBe(true);
  }
});
