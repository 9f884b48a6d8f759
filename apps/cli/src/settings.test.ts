// Environment, kept account and exit codes.
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ApiError } from "@spotter/client";
import { afterEach, expect, it } from "vitest";
import { ConfigFile } from "./config-file.ts";
import { Context } from "./context.ts";
import { endingOf, UsageProblem } from "./exit-codes.ts";
import { readSettings } from "./settings.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "spotter-cli-"));
  folders.push(folder);
  return folder;
}

it("names the variable that has a bad value", () => {
  expect(() => readSettings({ SPOTTER_URL: "here" })).toThrow(/^SPOTTER_URL /);
  expect(readSettings({ SPOTTER_URL: "", LANG: "zh_CN.UTF-8" })).toMatchObject({
    server: undefined,
    language: "zh",
  });
});

it("keeps the account in a file that only its owner may read", () => {
  const file = new ConfigFile(path.join(newFolder(), "spotter"));
  expect(file.read()).toBeNull();
  file.write({ server: "http://a", token: "secret", name: "mei" });
  expect(file.read()?.token).toBe("secret");
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
  expect(statSync(path.dirname(file.path)).mode & 0o777).toBe(0o700);
  writeFileSync(file.path, "{");
  expect(() => file.read()).toThrow(/sign in again/);
});

it("gives a kept token to the server that made it, and to no other", () => {
  const settings = { ...readSettings({ XDG_CONFIG_HOME: newFolder() }) };
  new ConfigFile(settings.configFolder).write({ server: "http://a", token: "t", name: "mei" });
  expect(new Context(settings, process, {}).client().options).toMatchObject({
    baseUrl: "http://a",
    token: "t",
  });
  expect(() => new Context(settings, process, { server: "http://b" }).client()).toThrow(ApiError);
});

it("ends with the documented codes", () => {
  const codes = [
    new UsageProblem("x"),
    new ApiError("not-signed-in", 401, "x"),
    new ApiError("run-not-found", 404, "x"),
    new ApiError("unreachable", 0, "x"),
    new ApiError("role-too-low", 403, "x"),
    new ApiError("run-state-conflict", 409, "x"),
    new ApiError("config-invalid", 400, "x"),
    new ApiError("internal-error", 500, "x"),
    new Error("x"),
  ].map((error) => endingOf(error).code);
  expect(codes).toEqual([2, 3, 4, 5, 6, 7, 2, 1, 1]);
});
