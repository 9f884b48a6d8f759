// The copyable lines speak the contract.
import { EventBatch } from "@spotter/contract";
import { expect, it } from "vitest";
import { scriptLines } from "./prepare-script.ts";

it("are six lines with the page's address and the token", () => {
  const lines = scriptLines("http://127.0.0.1:8888", "sp_abc").split("\n");
  expect(lines).toHaveLength(6);
  expect(lines[1]).toContain("Bearer sp_abc");
  expect(lines[1]).toContain("http://127.0.0.1:8888/api/runs");
});

it("send batches that the contract accepts, and end the run", () => {
  const [points, end] = scriptLines("http://x", "t").split("\n").slice(-2).map(batchOf);
  expect(points?.seq).toBe(3);
  expect(end?.seq).toBe(4);
  expect(end?.events.map((event) => event.type)).toEqual(["run-ended"]);
});

function batchOf(line: string): EventBatch {
  const filled = line
    .slice(line.indexOf('{"protocol"'), line.lastIndexOf(")"))
    .replaceAll("[step]", "[3]")
    .replace('"seq": step + 1', '"seq": 4')
    .replace('"seq": step', '"seq": 3')
    .replace("time.time()", "1700000000.5")
    .replace("1 / step", "0.33");
  return EventBatch.parse(JSON.parse(filled));
}
