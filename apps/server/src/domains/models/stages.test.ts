import { expect, test } from "vitest";
import { type PastChange, rollBackTarget } from "./stages.ts";

const into = (version_id: number): PastChange => ({
  ...{ version_id, stage_to: "production", is_rollback: 0 },
});
const back = (version_id: number): PastChange => ({
  ...{ version_id, stage_to: "production", is_rollback: 1 },
});
const always = () => true;

test("a roll back brings the version that was in production before", () => {
  expect(rollBackTarget([into(1), into(2)], 2, always)).toBe(1);
});

test("rolling back twice goes back two versions, not forward again", () => {
  const history = [into(1), into(2), into(3), back(2)];
  expect(rollBackTarget(history, 2, always)).toBe(1);
  expect(rollBackTarget([...history, back(1)], 1, always)).toBeNull();
  expect(rollBackTarget([...history, into(4)], 4, always)).toBe(2);
});

test("where nothing is in production, the last one that was comes back", () => {
  expect(rollBackTarget([into(1), into(2)], null, always)).toBe(2);
});

test("deleted versions are passed over, other stages count for nothing", () => {
  const history = [into(1), into(2), { ...into(9), stage_to: "staging" as const }, into(3)];
  expect(rollBackTarget(history, 3, (id) => id !== 2)).toBe(1);
  expect(rollBackTarget([], null, always)).toBeNull();
});
