// What is free on the machine, and whether a job fits into it. A plan takes and gives back on copies of it.
import type { Machine, Needs, Resource, RunningJob } from "./types.ts";

/** Sums of fractions of memory must not refuse the last that just fits. */
const SLACK = 1e-6;

interface FreeGpu {
  readonly index: number;
  readonly memoryGib: number;
  free: number;
}

export class FreeRoom {
  readonly #gpus: FreeGpu[];
  #cpuCores: number;
  #memoryGib: number;
  #diskGib: number;

  private constructor(gpus: FreeGpu[], cpuCores: number, memoryGib: number, diskGib: number) {
    this.#gpus = gpus;
    this.#cpuCores = cpuCores;
    this.#memoryGib = memoryGib;
    this.#diskGib = diskGib;
  }

  static of(machine: Machine, running: readonly Pick<RunningJob, "needs" | "gpus">[]): FreeRoom {
    const gpus = machine.gpus.map((gpu) => ({ ...gpu, free: gpu.memoryGib }));
    const room = new FreeRoom(gpus, machine.cpuCores, machine.memoryGib, machine.diskFreeGib);
    for (const job of running) room.take(job.needs, job.gpus);
    return room;
  }

  copy(): FreeRoom {
    const gpus = this.#gpus.map((gpu) => ({ ...gpu }));
    return new FreeRoom(gpus, this.#cpuCores, this.#memoryGib, this.#diskGib);
  }

  get diskGib(): number {
    return this.#diskGib;
  }

  /** The GPUs that a job of these needs would get; null when it does not fit. */
  place(needs: Needs): number[] | null {
    return this.shortage(needs) === null ? this.#choose(needs) : null;
  }

  /** The first thing that is missing. */
  shortage(needs: Needs): Resource | null {
    if (needs.gpus > 0 && this.#choose(needs) === null)
      return needs.gpuMemoryGib === null ? "gpus" : "gpu_memory";
    if (needs.cpuCores > this.#cpuCores + SLACK) return "cpu_cores";
    if (needs.memoryGib > this.#memoryGib + SLACK) return "memory";
    return needs.diskGib > this.#diskGib + SLACK ? "disk" : null;
  }

  take(needs: Needs, gpus: readonly number[]): void {
    this.#move(needs, gpus, -1);
  }

  giveBack(needs: Needs, gpus: readonly number[]): void {
    this.#move(needs, gpus, 1);
  }

  /**
   * Whether `first` finds as much as before of everything that `other` would take, already in what is free now. True
   * means: `other` cannot delay it, whoever ends next.
   */
  leavesRoom(first: Needs, other: Needs, gpus: readonly number[]): boolean {
    const after = this.copy();
    after.take(other, gpus);
    if (other.gpus > 0 && first.gpus > 0 && after.#choose(first) === null) return false;
    if (other.cpuCores > 0 && after.#cpuCores + SLACK < first.cpuCores) return false;
    return !(other.memoryGib > 0 && after.#memoryGib + SLACK < first.memoryGib);
  }

  /** The fullest that suffice, so that empty ones are left for jobs that need a whole one. */
  #choose({ gpus, gpuMemoryGib }: Needs): number[] | null {
    const fitting = this.#gpus.filter(
      ({ free, memoryGib }) => free + SLACK >= (gpuMemoryGib ?? memoryGib),
    );
    if (fitting.length < gpus) return null;
    fitting.sort((a, b) => a.free - b.free || a.index - b.index);
    return fitting
      .slice(0, gpus)
      .map(({ index }) => index)
      .sort((a, b) => a - b);
  }

  #move(needs: Needs, indexes: readonly number[], direction: 1 | -1): void {
    for (const gpu of this.#gpus)
      if (indexes.includes(gpu.index))
        gpu.free += direction * (needs.gpuMemoryGib ?? gpu.memoryGib);
    this.#cpuCores += direction * needs.cpuCores;
    this.#memoryGib += direction * needs.memoryGib;
    this.#diskGib += direction * needs.diskGib;
  }
}

/** The part of the machine that the needs come to: of what they take most. */
export function shareOf(needs: Needs, machine: Machine): number {
  const part = (needed: number, there: number) => (there > 0 ? needed / there : 0);
  return Math.max(
    part(needs.gpus, machine.gpus.length),
    part(needs.cpuCores, machine.cpuCores),
    part(needs.memoryGib, machine.memoryGib),
  );
}
