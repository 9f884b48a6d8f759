// What the demo says where there is no terminal.

import { epochOf } from "@spotter/contract";
import { expect, it } from "vitest";
import { lineOf, plainProgress } from "./progress.mjs";

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
