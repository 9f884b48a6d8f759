import { describe, expect, it } from "vitest";
import { Log, type LogLevel } from "./log.ts";

function open(format: "json" | "pretty", level: LogLevel = "info") {
  const lines: string[] = [];
  return { lines, log: new Log({ level, format, write: (line) => lines.push(line) }) };
}

describe("the log", () => {
  it("writes one JSON line with the fields of its parents", () => {
    const { lines, log } = open("json");
    log.child({ request_id: "r1" }).info({ run_id: 42 }, "A run began.");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      level: "info",
      message: "A run began.",
      request_id: "r1",
      run_id: 42,
    });
  });

  it("leaves out what is less severe than asked for", () => {
    const { lines, log } = open("json", "warn");
    log.info("quiet");
    log.warn("loud");
    expect(lines).toHaveLength(1);
  });

  it("never writes a secret", () => {
    const { lines, log } = open("json");
    log.warn({ password: "p", setup_token: "t", Authorization: "Bearer x", name: "ada" }, "x");
    expect(lines[0]).not.toMatch(/"p"|"t"|Bearer/);
    expect(lines[0]).toContain("ada");
  });

  it("keeps the stack and the causes of an error", () => {
    const { lines, log } = open("json");
    log.error({ error: new Error("outer", { cause: new Error("inner") }) }, "It failed.");
    const { error } = JSON.parse(lines[0] ?? "") as { error: { stack: string; cause: object } };
    expect(error.stack).toContain("outer");
    expect(error.cause).toMatchObject({ message: "inner" });
  });

  it("writes short lines for people", () => {
    const { lines, log } = open("pretty");
    log.info({ port: 8888 }, "Listening.");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d .*info .*Listening\..*port=.*8888$/);
  });
});
