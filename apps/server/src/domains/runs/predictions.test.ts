// A file that cannot be read is spoken of by the name that its owner knows.
import { expect, it } from "vitest";
import { underGivenNames } from "./predictions.ts";

it("names a file as it was given, by its place or by the end of it", () => {
  const input = (name: string, file: string | null) => ({ name, file, text: null, sample: null });
  const inputs = [
    input("seven.png", "/home/tmp/inputs-Ab1/input-0"),
    input("not$&img.png", "/home/tmp/inputs-Ab1/input-1"),
    input("test:0", null),
  ];
  expect(underGivenNames("inputs-Ab1/input-1: not an image that can be read", inputs)).toBe(
    "not$&img.png: not an image that can be read",
  );
  expect(underGivenNames("/home/tmp/inputs-Ab1/input-0: empty", inputs)).toBe("seven.png: empty");
});
