// Names that are shortened in their middle.
import { expect, it } from "vitest";
import { fitMiddle, shortenMiddle } from "./format-name.ts";

/** As wide as a proportional font would make it: Chinese characters take twice the room. */
const fitsIn = (width: number) => (text: string) =>
  [...text].reduce((sum, character) => sum + (character > "\u2e80" ? 2 : 1), 0) <= width;

it("keeps both ends of a name that is too long", () => {
  expect(fitMiddle("resnet18-digits-baseline-7", 8, fitsIn(14))).toBe("resnet1…line-7");
  expect(fitMiddle("resnet18-digits-baseline-7", 8, fitsIn(24))).toBe("resnet18-digits…seline-7");
  expect(shortenMiddle("resnet18-digits-baseline-7", 14)).toBe("resnet1…line-7");
});

it("leaves a name that has room alone, however long", () => {
  expect(fitMiddle("resnet18-digits", 8, fitsIn(15))).toBe("resnet18-digits");
});

it("fills the room with wide characters too, and never breaks one", () => {
  expect(fitMiddle("手写数字识别的第一次完整训练", 4, fitsIn(17))).toBe("手写数字…完整训练");
  expect(fitMiddle("🦉🦉🦉🦉", 2, fitsIn(3))).toBe("🦉…");
});
