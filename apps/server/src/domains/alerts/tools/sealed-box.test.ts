// What is sealed opens with its own key only.
import { expect, it } from "vitest";
import { SealedBox } from "./sealed-box.ts";

const box = new SealedBox("ab".repeat(32));

it("opens what it sealed, and shows nothing of it before", () => {
  const sealed = box.seal({ url: "https://example.org/secret" });
  expect(Buffer.from(sealed, "base64").toString("latin1")).not.toContain("secret");
  expect(box.open(sealed)).toEqual({ url: "https://example.org/secret" });
  expect(box.seal({ url: "https://example.org/secret" })).not.toBe(sealed);
});

it("does not open with another key, nor what was changed", () => {
  const sealed = box.seal("text");
  expect(() => new SealedBox("cd".repeat(32)).open(sealed)).toThrow();
  const bytes = Buffer.from(sealed, "base64");
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  expect(() => box.open(bytes.toString("base64"))).toThrow();
});
