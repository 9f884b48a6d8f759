// Settings typed on the command line, put together into a config.
import { expect, it } from "vitest";
import { checkKeys } from "./config-keys.ts";
import { applySettings } from "./config-options.ts";

it("reads values as JSON where they can be, goes deeper at dots, and leaves the rest of the file's config", () => {
  const config = { epochs: 1, data: { builtin: "digits" } };
  expect(
    applySettings(config, ["epochs=5", "model=cnn", "mirror=true", "data.path=/a=b", "x.y.z=null"]),
  ).toEqual({
    epochs: 5,
    model: "cnn",
    mirror: true,
    data: { builtin: "digits", path: "/a=b" },
    x: { y: { z: null } },
  });
  expect(config).toEqual({ epochs: 1, data: { builtin: "digits" } });
});

it("refuses settings without a name or a value", () => {
  expect(() => applySettings({}, ["epochs"])).toThrow(/key=value/);
  expect(() => applySettings({}, ["=5"])).toThrow(/key=value/);
  expect(() => applySettings({}, ["a..b=5"])).toThrow(/no name/);
  expect(() => applySettings({}, ["__proto__.b=5"])).toThrow(/no name/);
});

it("names the right keys and their choices where one inside an object is wrong", () => {
  const check = (...settings: string[]) => checkKeys("vision", applySettings({}, settings));
  check("data.builtin=digits", "epochs=3", "unknown.key=1");
  check("data.path=/data");
  expect(() => check("data.dataset=digits")).toThrow(
    /^There is no data\.dataset; there is: .*data\.builtin=digits.*data\.path=<string>/,
  );
});
