// A folder that a command line streams is known by the runs it opened.
import { expect, it } from "vitest";
import { streamedBy } from "./streamed-folders.ts";

const NOW = 1_795_000_000;
const run = (id: number, logdir: string, host = "here", lastEventAt: number | null = NOW - 5) => ({
  id,
  config: JSON.stringify({ tensorboard: { host, logdir, folder: "a" } }),
  created_at: NOW - 1_000,
  last_event_at: lastEventAt,
});

it("finds the folder itself, one inside it and one around it, on this machine", () => {
  const runs = [run(1, "/other"), run(2, "/logs")];
  expect(streamedBy(runs, "/logs", "here", NOW)).toBe(2);
  expect(streamedBy(runs, "/logs/a/deep", "here", NOW)).toBe(2);
  expect(streamedBy(runs, "/", "here", NOW)).toBe(1);
  expect(streamedBy(runs, "/logs/b", "here", NOW)).toBeNull();
  expect(streamedBy(runs, "/logs", "elsewhere", NOW)).toBeNull();
});

it("takes a command line that is long silent for gone, and other runs for what they are", () => {
  expect(streamedBy([run(1, "/logs", "here", NOW - 601)], "/logs", "here", NOW)).toBeNull();
  expect(streamedBy([run(1, "/logs", "here", null)], "/logs", "here", NOW)).toBeNull();
  expect(streamedBy([{ ...run(1, "/logs"), config: "{}" }], "/logs", "here", NOW)).toBeNull();
});
