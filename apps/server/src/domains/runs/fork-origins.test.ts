// A checkpoint that its run removes while a fork takes it.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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
