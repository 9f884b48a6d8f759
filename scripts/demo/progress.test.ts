// What the demo says where there is no terminal.
import { expect, it } from "vitest";
import { plainProgress } from "./progress.mjs";

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
