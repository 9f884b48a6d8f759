// Rows stand still under a hand.
import { expect, test } from "vitest";
import { HeldView } from "./held-view.ts";

function held() {
  const shown: string[] = [];
  return { shown, view: new HeldView<string>((view) => shown.push(view)) };
}

test("what comes while it is held is shown when the last hand is gone, the newest only", () => {
  const { shown, view } = held();
  view.come("first");
  const [letGo, letGoToo] = [view.hold(), view.hold()];
  view.come("second");
  view.come("third");
  letGo();
  letGo();
  expect(shown).toEqual(["first"]);
  letGoToo();
  expect(shown).toEqual(["first", "third"]);
  view.come("fourth");
  expect(shown.at(-1)).toBe("fourth");
});

test("what the hand brought about is shown at once, and nothing older after it", () => {
  const { shown, view } = held();
  const letGo = view.hold();
  view.come("of before");
  view.replace("of the hand");
  letGo();
  expect(shown).toEqual(["of the hand"]);
});
