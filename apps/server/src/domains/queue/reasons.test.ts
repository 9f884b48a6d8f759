// What somebody who looks at the queue reads.
import { expect, it } from "vitest";
import type { Why } from "./planning/types.ts";
import { reasonToShow, withoutPast } from "./reasons.ts";

const why = (until: number | null): Why => ({
  ...{ kind: "resource", resource: "cpu_cores", needed: 1, free: 0 },
  ...{ holders: [3], until },
});
const row = {
  project_id: 1,
  preempted_by: null,
  resume_from: null,
  not_before: null,
  reason: null,
};

it("names no time that has passed: who holds it is late", () => {
  const said = (until: number) => {
    const waiting = { id: 4, why: withoutPast(why(until), 1000), startsAt: null, unknown: null };
    return reasonToShow(row, { ...waiting, place: 1 }, () => true);
  };
  expect(said(1000)).toBe("Needs 1 CPU core; run 3 holds it.");
  expect(said(1001)).toMatch(/^Needs 1 CPU core; run 3 holds it until about \d\d:\d\d\.$/);
  expect(withoutPast(why(null), 1000)).toEqual(why(null));
});
