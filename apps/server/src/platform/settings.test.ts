import path from "node:path";
import { describe, expect, it } from "vitest";
import { readSettings, SettingsError, variables } from "./settings.ts";

describe("settings", () => {
  it("come from their defaults when the environment says nothing", () => {
    const settings = readSettings({});
    expect(settings).toMatchObject({
      home: path.resolve(".spotter"),
      host: "127.0.0.1",
      port: 8888,
      databaseUrl: undefined,
      allowedOrigins: [],
      dataRoots: [],
      registration: "closed",
      commandRuns: "members",
      trustProxy: false,
      maxBodyBytes: 16 * 1024 * 1024,
      alertPrivateTargets: "refuse",
      failAfterCommitOf: undefined,
    });
  });

  it("take lists apart and make folders absolute", () => {
    const settings = readSettings({
      SPOTTER_DATA_ROOTS: "/data, other",
      SPOTTER_ALLOWED_ORIGINS: "https://lab.example/page",
      SPOTTER_FAILPOINT: "after-commit:3",
    });
    expect(settings.dataRoots).toEqual(["/data", path.resolve("other")]);
    expect(settings.allowedOrigins).toEqual(["https://lab.example"]);
    expect(settings.failAfterCommitOf).toBe(3);
  });

  it.each([
    ["SPOTTER_PORT", "http"],
    ["SPOTTER_PORT", "70000"],
    ["SPOTTER_REGISTRATION", "maybe"],
    ["SPOTTER_COMMAND_RUNS", "yes"],
    ["SPOTTER_TRUST_PROXY", "perhaps"],
    ["DATABASE_URL", "mysql://x"],
    ["SPOTTER_ALLOWED_ORIGINS", "lab.example"],
    ["SPOTTER_ADVERTISE_URL", "ftp://x"],
    ["SPOTTER_MAX_BODY_MB", "-1"],
    ["SPOTTER_FAILPOINT", "before-lunch"],
  ])("stop the start with the name of %s when it is %s", (name, value) => {
    expect(() => readSettings({ [name]: value })).toThrow(SettingsError);
    expect(() => readSettings({ [name]: value })).toThrow(new RegExp(`^${name} `));
  });

  it("name all bad variables at once", () => {
    expect(() => readSettings({ SPOTTER_PORT: "x", SPOTTER_LOG_LEVEL: "loud" })).toThrow(
      /SPOTTER_PORT.*\nSPOTTER_LOG_LEVEL/,
    );
  });

  it("have a sentence each", () => {
    for (const variable of Object.values(variables)) expect(variable.sentence).toMatch(/\.$/);
  });
});
