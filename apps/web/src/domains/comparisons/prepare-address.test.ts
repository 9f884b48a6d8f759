// Comparisons as addresses.
import { expect, it } from "vitest";
import { type CompareAddress, readAddress, viewOf, writeAddress } from "./prepare-address.ts";

it("reads what it wrote, and leaves defaults out", () => {
  const address: CompareAddress = {
    runs: [42, 41],
    base: 41,
    metric: "val/loss",
    value: "best",
    lines: "runs",
  };
  expect(writeAddress(address)).toEqual({
    ...{ runs: "42,41", base: "41", metric: "val/loss", value: "best", lines: "runs" },
  });
  expect(readAddress(writeAddress(address))).toEqual(address);
  expect(Object.values(writeAddress(readAddress({}))).every((one) => one === undefined)).toBe(true);
});

it("leaves out what it cannot understand, and runs that come twice", () => {
  const address = readAddress({
    runs: "3,x,-1,3,4.5,7",
    base: "zero",
    value: "worst",
    lines: ["a"],
  });
  expect(address).toEqual({ runs: [3, 7], base: null, metric: null, value: null, lines: null });
  expect(
    readAddress({ runs: Array.from({ length: 60 }, (_, i) => i + 1).join(",") }).runs,
  ).toHaveLength(50);
});

it("asks the server by what the address says only", () => {
  expect(viewOf(readAddress({ runs: "1,2" }))).toEqual({});
  expect(viewOf(readAddress({ base: "2", metric: "loss" }))).toEqual({ base: "2", metric: "loss" });
});
