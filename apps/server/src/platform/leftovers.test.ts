import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeLeftovers } from "./leftovers.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(os.tmpdir(), "spotter-leftovers-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe("leftovers of a server that was killed", () => {
  it("go, and what is whole stays", async () => {
    const gone = ["tmp/uploads/half.zip", "content/incoming/half", "datasets/3.abc.tmp/cat/1.png"];
    const kept = ["content/ab/abcd", "datasets/3/cat/1.png", "runs/1/log.txt", "spotter.db"];
    for (const file of [...gone, ...kept]) {
      mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
      writeFileSync(path.join(home, file), "x");
    }
    await removeLeftovers(home);
    const left = [...gone, ...kept].filter((file) => existsSync(path.join(home, file)));
    expect(left).toEqual(kept);
    expect(existsSync(path.join(home, "datasets/3.abc.tmp"))).toBe(false);
  });

  it("need not be there", async () => {
    await removeLeftovers(path.join(home, "new"));
  });
});
