// What a training needs of this machine: what it asked for, and a fair part of what it did not speak of.
import type { ResourceWish } from "@spotter/contract";
import type { Machine, Needs } from "./types.ts";

/** The fields of a config that say something about the machine; a program of one's own has others than a recipe. */
export interface MachineConfig {
  readonly device?: unknown;
  readonly processes?: unknown;
  readonly cpu_cores?: unknown;
  readonly memory_mb?: unknown;
}

/**
 * A machine without GPUs is one place: a training that asks for nothing has it alone. Else a GPU is a place, with its
 * part of cores and memory.
 */
export function needsOf(wish: ResourceWish, config: MachineConfig, machine: Machine): Needs {
  const numGpus = machine.gpus.length;
  const gpus =
    wish.gpus ?? (numGpus > 0 && config.device !== "cpu" ? numberOf(config.processes, 1) : 0);
  const gpuMemoryGib = gpus > 0 ? (wish.gpu_memory_gib ?? null) : null;
  const cores = wish.cpu_cores ?? numberOf(config.cpu_cores, null);
  const memoryMb = numberOf(config.memory_mb, null);
  const memory = wish.memory_gib ?? (memoryMb === null ? null : memoryMb / 1024);
  const part = Math.min(1, partOf(gpus, gpuMemoryGib, cores, machine));
  return {
    gpus,
    gpuMemoryGib,
    cpuCores: cores ?? Math.max(1, Math.floor(machine.cpuCores * part)),
    memoryGib: memory ?? machine.memoryGib * part,
    diskGib: wish.disk_gib ?? 0,
  };
}

function partOf(
  gpus: number,
  gpuMemoryGib: number | null,
  cores: number | null,
  machine: Machine,
): number {
  const numGpus = machine.gpus.length;
  if (gpus > 0 && numGpus > 0) {
    const memory = machine.gpus[0]?.memoryGib ?? 0;
    const ofEach = gpuMemoryGib === null || memory <= 0 ? 1 : Math.min(1, gpuMemoryGib / memory);
    return (gpus / numGpus) * ofEach;
  }
  if (cores !== null) return cores / machine.cpuCores;
  return 1 / Math.max(1, numGpus);
}

function numberOf<T>(value: unknown, otherwise: T): number | T {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}
