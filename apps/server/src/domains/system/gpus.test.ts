import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parseGpuLine } from "./gpus.ts";

it("does not end its own process group when it is stopped before it knows that there is no nvidia-smi", async () => {
  const root = path.resolve(import.meta.dirname, "../../../../..");
  const program = path.join(root, "apps/server/test/start-and-stop-gpus.ts");
  const child = spawn(process.execPath, [path.join(root, "scripts/run-ts.mjs"), program], {
    ...{ cwd: root, env: { PATH: "" } },
    // In a group of its own: should it end one, it is not ours.
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
  });
  const [code, signal] = await once(child, "close");
  expect({ code, signal, said }).toEqual({ code: 0, signal: null, said: "alive" });
}, 60_000);

describe("a line of nvidia-smi", () => {
  it("becomes a reading", () => {
    expect(parseGpuLine("1, NVIDIA H100 80GB HBM3, 35, 2048, 81920, 41, 120.50")).toEqual({
      index: 1,
      name: "NVIDIA H100 80GB HBM3",
      utilization_percent: 35,
      memory_used_gib: 2,
      memory_total_gib: 80,
      temperature_c: 41,
      power_w: 120.5,
    });
  });

  it("may leave out what the GPU does not say", () => {
    expect(parseGpuLine("0, NVIDIA T4, [N/A], 0, 15360, [N/A], [N/A]")).toMatchObject({
      utilization_percent: null,
      temperature_c: null,
      power_w: null,
    });
  });

  it("is nothing when it is a message", () => {
    expect(parseGpuLine("Unable to determine the device handle")).toBeUndefined();
  });
});
