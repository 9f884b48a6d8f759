// Which binding a key press belongs to.
import { expect, it } from "vitest";
import { type KeyBinding, matchPress, type Press, SEQUENCE_MS } from "./match-keys.ts";

const binding = (keys: string): KeyBinding => ({
  keys,
  group: "keys.go",
  label: keys,
  run: () => undefined,
});
const press = (key: string, over: Partial<Press> = {}): Press => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  isComposing: false,
  inField: false,
  ...over,
});
const fresh = { pending: null, pendingAt: 0 };

it("matches sequences within a second and forgets them afterwards", () => {
  const bindings = [binding("g h"), binding("h")];
  const first = matchPress(press("g"), bindings, fresh, 0);
  expect(first.binding).toBeNull();
  expect(matchPress(press("h"), bindings, first.state, 500).binding?.keys).toBe("g h");
  expect(matchPress(press("h"), bindings, first.state, SEQUENCE_MS + 1).binding?.keys).toBe("h");
});

it("keeps single keys away from fields, but not Ctrl K and Escape", () => {
  const bindings = [binding("n"), binding("Mod+k"), binding("Escape")];
  expect(matchPress(press("n", { inField: true }), bindings, fresh, 0).binding).toBeNull();
  const palette = press("K", { ctrlKey: true, inField: true });
  expect(matchPress(palette, bindings, fresh, 0).binding?.keys).toBe("Mod+k");
  expect(matchPress(press("Escape", { inField: true }), bindings, fresh, 0).binding?.keys).toBe(
    "Escape",
  );
});

it("does nothing while an input method composes", () => {
  const composing = press("n", { isComposing: true });
  expect(matchPress(composing, [binding("n")], fresh, 0).binding).toBeNull();
});

it("lets the page that came last win", () => {
  const shell = binding("x");
  const page = { ...binding("x"), label: "page" };
  expect(matchPress(press("x"), [shell, page], fresh, 0).binding).toBe(page);
});
