// Settings typed on the command line, put together into a config.
import { expect, it } from "vitest";
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
