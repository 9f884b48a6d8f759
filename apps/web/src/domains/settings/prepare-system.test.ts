// The server's facts and the host's readings.
import type { HostReading, SystemInfo } from "@spotter/contract";
import { expect, it } from "vitest";
import { factsOf, metersOf } from "./prepare-system.ts";

const reading = {
  cpu_percent: 38.2,
  memory_used_gib: 6,
  memory_total_gib: 24,
  disk_used_gib: 50,
  disk_total_gib: 200,
  gpus: [
    {
      index: 0,
      name: "RTX 4090",
      utilization_percent: null,
      memory_used_gib: 2,
      memory_total_gib: 24,
    },
  ],
} as HostReading;

it("gives each reading its share and unit, and a missing one no number", () => {
  expect(metersOf(reading).map((meter) => [meter.key, meter.share, meter.text])).toEqual([
    ["cpu", 0.382, "38 %"],
    ["memory", 0.25, "6.00 GiB / 24.0 GiB"],
    ["disk", 0.25, "50.0 GiB / 200 GiB"],
    ["gpu", null, "–"],
    ["gpuMemory", 2 / 24, "2.00 GiB / 24.0 GiB"],
  ]);
});

it("says plainly when training is not possible", () => {
  const info = {
    python: { ready: false, version: null, torch: null, message: "No Python environment." },
    data_roots: [],
    database: "sqlite",
  } as unknown as SystemInfo;
  const facts = new Map(factsOf(info).map((fact) => [fact.key, fact]));
  expect(facts.get("training")).toMatchObject({ text: "No Python environment.", isBad: true });
  expect(facts.get("dataRoots")?.text).toBe("–");
});
