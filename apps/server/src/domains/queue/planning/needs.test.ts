// What a training needs when it says little, on machines of different kinds.
import { describe, expect, it } from "vitest";
import { needsOf } from "./needs.ts";
import type { Machine } from "./types.ts";

const laptop: Machine = { gpus: [], cpuCores: 2, memoryGib: 8, diskFreeGib: 50 };
const box: Machine = {
  gpus: [0, 1, 2, 3].map((index) => ({ index, memoryGib: 80 })),
  ...{ cpuCores: 64, memoryGib: 512, diskFreeGib: 1000 },
};

describe("the needs of a training", () => {
  it("are the whole machine where there is no GPU", () => {
    expect(needsOf({}, {}, laptop)).toMatchObject({ gpus: 0, cpuCores: 2, memoryGib: 8 });
  });

  it("are as many cores as it asked for, and their part of the memory", () => {
    expect(needsOf({ cpu_cores: 1 }, {}, laptop)).toMatchObject({ cpuCores: 1, memoryGib: 4 });
    expect(needsOf({}, { cpu_cores: 1, memory_mb: 1024 }, laptop)).toMatchObject({
      ...{ cpuCores: 1, memoryGib: 1 },
    });
  });

  it("are a GPU with its part of cores and memory where there are GPUs, one a process", () => {
    expect(needsOf({}, { device: "auto" }, box)).toMatchObject({
      ...{ gpus: 1, gpuMemoryGib: null, cpuCores: 16, memoryGib: 128 },
    });
    expect(needsOf({}, { processes: 2 }, box)).toMatchObject({ gpus: 2, cpuCores: 32 });
    expect(needsOf({}, { device: "cpu" }, box)).toMatchObject({ gpus: 0, cpuCores: 16 });
    expect(needsOf({ gpus: 1, gpu_memory_gib: 20 }, {}, box)).toMatchObject({
      ...{ gpuMemoryGib: 20, cpuCores: 4, memoryGib: 32 },
    });
  });

  it("stay what was asked for, though the machine has less", () => {
    expect(needsOf({ gpus: 8, cpu_cores: 99 }, {}, box)).toMatchObject({ gpus: 8, cpuCores: 99 });
    expect(needsOf({ gpus: 1 }, {}, laptop)).toMatchObject({ gpus: 1, cpuCores: 2 });
  });
});
