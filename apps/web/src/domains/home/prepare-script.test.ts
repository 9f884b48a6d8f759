// The copyable lines speak the contract.
import { EventBatch } from "@spotter/contract";
import { expect, it } from "vitest";
import { scriptLines } from "./prepare-script.ts";

it("are six lines with the page's address and the token", () => {
  const lines = scriptLines("http://127.0.0.1:8888", "sp_abc").split("\n");
  expect(lines).toHaveLength(6);
  expect(lines[1]).toContain("Bearer sp_abc");
  expect(lines[2]).toContain("http://127.0.0.1:8888/api/runs");
});

it("send batches that the contract accepts", () => {
  const last = scriptLines("http://x", "t").split("\n").at(-1) ?? "";
  const body = last.slice(last.indexOf('{"protocol"'), last.lastIndexOf(")"));
  const filled = body
    .replaceAll("[step]", "[3]")
    .replace('"seq": step', '"seq": 3')
    .replace("time.time()", "1700000000.5")
    .replace("1 / step", "0.33");
  expect(EventBatch.parse(JSON.parse(filled)).seq).toBe(3);
});
