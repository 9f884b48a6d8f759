// News of files: one checkpoint is the last, and one the best of those that are kept.
import type { RunFile } from "@spotter/contract";
import { expect, test } from "vitest";
import { withFile } from "./prepare-files.ts";

const file = (id: number, label: string | null, change: Partial<RunFile> = {}): RunFile => ({
  ...{ id, kind: "checkpoint", path: `checkpoints/${id}`, size: 1, sha256: "0".repeat(64) },
  ...{ attempt: 1, step: id, epoch: null, metrics: {}, label, created_at: id, removed_at: null },
  ...change,
});
const labels = (files: readonly RunFile[]) => files.map(({ id, label }) => [id, label]);

test("a new checkpoint takes the name of the last one, and a better one that of the best", () => {
  const first = withFile([], file(1, "best"));
  const second = withFile(first, file(2, "last"));
  expect(labels(withFile(second, file(3, "last")))).toEqual([
    [1, "best"],
    [2, null],
    [3, "last"],
  ]);
  expect(labels(withFile(second, file(3, "best")))).toEqual([
    [1, null],
    [2, null],
    [3, "best"],
  ]);
});

test("late news of an older checkpoint, of one that is removed, or of another kind take no name away", () => {
  const files = [file(5, "last")];
  for (const news of [
    file(4, null),
    file(6, null, { removed_at: 7 }),
    file(6, "final", { kind: "weights" }),
  ])
    expect(labels(withFile(files, news))[0]).toEqual([5, "last"]);
});
