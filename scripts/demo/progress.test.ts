// What the demo says where there is no terminal.

import { epochOf } from "@spotter/contract";
import { expect, it } from "vitest";
import { lineOf, plainProgress, settled } from "./progress.mjs";

it("says a line only when it differs from the one before, and at most every five seconds until the end", () => {
  let said = "";
  const say = plainProgress((line: string) => {
    said += line;
  });
  say("queued ...", false, 0);
  for (const now of [250, 6_000, 60_000]) say("queued ...", false, now);
  expect(said).toBe("queued ...\n");
  say("1/10", false, 61_000);
  say("2/10", false, 62_000);
  say("10/10", true, 62_250);
  expect(said).toBe("queued ...\n1/10\n10/10\n");
});

it.each([
  [0, null],
  [0, 1],
  [1, 1],
  [2, null],
] as const)(
  "says of epoch %s of %s what the pages and the command line say",
  (epoch, total_epochs) => {
    const progress = {
      step: 3,
      total_steps: 9,
      epoch,
      total_epochs,
      steps_per_s: null,
      eta_s: null,
    };
    const line = lineOf({ state: "running", reason: null, metrics: {}, progress });
    const found = epochOf({ epoch, total_epochs });
    const said =
      found === null ? "" : `epoch ${found.epoch}${found.total ? `/${found.total}` : ""}`;
    expect(/epoch \S+/.exec(line)?.[0] ?? "").toBe(said);
  },
);

it("ends with the values that the run's page and the command line show a moment later", async () => {
  const progress = {
    ...{ step: 9, total_steps: 9, epoch: 1, total_epochs: 1, steps_per_s: null, eta_s: null },
  };
  const run = (loss: number, accuracy: number) => ({
    ...{ state: "finished", reason: null, progress },
    metrics: { "train/loss": loss, "val/accuracy": accuracy, "test/accuracy": 0.996 },
  });
  const told = [run(0.004849, 0.996), run(0.002574, 0.983), run(0.002574, 0.983)];
  let looks = 0;
  const last = await settled(run(0.004849, 0.996), async () => told[++looks] ?? told[2], 0);
  expect(lineOf(last)).toContain("loss 0.002574  val acc 98.3 %  test acc 99.6 %");
  expect(looks).toBe(2);
});
