// What the terminal tells of an upload.
import { expect, it } from "vitest";
import { leftOutLines } from "./datasets.ts";

const english = (text: string) => text;

it("lists each file that was left out with the reason, and nothing that steers the terminal", () => {
  const skipped = [
    { path: "cats/notes.docx", reason: "is no image" },
    { path: "\u001b[31mred\n.png", reason: "is damaged" },
  ];
  expect(leftOutLines(skipped, english)).toEqual([
    "Left out:",
    "  cats/notes.docx  is no image",
    "  red .png  is damaged",
  ]);
  expect(leftOutLines([], english)).toEqual([]);
});
