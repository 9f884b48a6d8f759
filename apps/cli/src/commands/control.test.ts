// What the terminal says of a run that is told to end.
import { expect, it } from "vitest";
import { leftQueue } from "./control.ts";

const english = (text: string) => text;
const chinese = (_english: string, text: string) => text;
const answer = { run_id: 7, command: null };
const waits = { state: "queued" as const };

it("a run that waits leaves the queue, and nobody is told that it was stopped", () => {
  expect(leftQueue({ ...answer, state: "cancelled" }, waits, english)).toBe(
    "Run 7 is taken out of the queue; it had not begun.",
  );
  expect(leftQueue({ ...answer, state: "stopped" }, waits, english)).toBe(
    "Run 7 is taken out of the queue; what it had trained is kept. Go on with: spotter resume 7",
  );
  expect(leftQueue({ ...answer, state: "stopped" }, waits, chinese)).toBe(
    "训练 7 已移出队列；已训练的部分会保留。继续：spotter resume 7",
  );
});

it("a run that trains is stopped or ended as before", () => {
  const trains = { state: "running" as const };
  expect(leftQueue({ ...answer, state: "stopped" }, trains, english)).toBe(null);
  // It began between the look and the word.
  expect(leftQueue({ ...answer, state: "running" }, waits, english)).toBe(null);
});
