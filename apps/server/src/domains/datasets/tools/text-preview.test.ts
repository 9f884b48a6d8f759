// A look at texts reads their beginning alone.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { previewTexts } from "./text-preview.ts";

it("shows the beginning of a text that is one long line, and reads no more of it", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "spotter-preview-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, "long.txt");
  // What is no UTF-8 further behind would be refused if it were read.
  writeFileSync(file, Buffer.concat([Buffer.from("你".repeat(200_000)), Buffer.from([0xff])]));
  const rows = await previewTexts([{ path: "long.txt", sha256: "", size: 1 }], () => file, 5);
  expect(rows).toEqual([
    { path: "long.txt", row: 1, fields: { text: "你".repeat(500) }, is_cut: true },
  ]);
});
