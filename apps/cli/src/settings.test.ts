// Environment, kept account and exit codes.
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
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

it("finds the server by what is named, then by who is signed in, then by the data folder", () => {
  const folder = newFolder();
  const home = path.join(folder, "home");
  mkdirSync(home);
  const environment = { XDG_CONFIG_HOME: folder, SPOTTER_HOME: home };
  const url = (more: Record<string, string> = {}) =>
    new Context(readSettings({ ...environment, ...more }), process, {}).serverUrl();
  expect(url()).toBe("http://127.0.0.1:8888");
  const write = (pid: number) =>
    writeFileSync(
      path.join(home, "server.json"),
      JSON.stringify({ url: "http://127.0.0.1:8890", pid }),
    );
  write(process.pid);
  expect(url()).toBe("http://127.0.0.1:8890");
  // A server that was killed left its file.
  write(2 ** 22 + 1);
  expect(url()).toBe("http://127.0.0.1:8888");
  write(process.pid);
  new ConfigFile(path.join(folder, "spotter")).write({ server: "http://a", token: "t", name: "m" });
  expect(url()).toBe("http://a");
  expect(url({ SPOTTER_PORT: "9000" })).toBe("http://127.0.0.1:9000");
  expect(url({ SPOTTER_PORT: "9000", SPOTTER_URL: "http://b" })).toBe("http://b");
  expect(() => url({ SPOTTER_PORT: "99999" })).toThrow(/^SPOTTER_PORT /);
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
