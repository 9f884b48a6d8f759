import { describe, expect, it } from "vitest";
import { parseGpuLine } from "./gpus.ts";

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
