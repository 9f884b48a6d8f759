// The host's NVIDIA GPUs: one `nvidia-smi` that prints every second, where the program exists.
// Starting it anew for each reading takes tens of milliseconds of processor time.
import { type ChildProcess, spawn } from "node:child_process";
import type { HostReading } from "@spotter/contract";

type Gpu = HostReading["gpus"][number];

const fields =
  "index,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw" as const;
const MIB_PER_GIB = 1024;
/** A driver that has not answered by then is not waited for. */
const LONGEST_LOOK_MS = 10_000;

/** What a GPU is, besides what it does now. */
export type GpuFacts = Pick<Gpu, "index" | "name" | "memory_total_gib">;

/** Keeps the last reading of each GPU. */
export class GpuWatch {
  readonly #byIndex = new Map<number, Gpu>();
  readonly #seen = new Map<number, GpuFacts>();
  #program: ChildProcess | undefined;
  #isSettled = false;
  #timer: NodeJS.Timeout | undefined;
  #numTexts = 0;

  /** Those that there are, even while the driver says nothing. */
  get seen(): GpuFacts[] {
    return [...this.#seen.values()].sort((a, b) => a.index - b.index);
  }

  /** Whether it is known by now which GPUs there are. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  get gpus(): Gpu[] {
    return [...this.#byIndex.values()].sort((a, b) => a.index - b.index);
  }

  start(): void {
    const args = [`--query-gpu=${fields}`, "--format=csv,noheader,nounits", "--loop=1"];
    const program = spawn("nvidia-smi", args, { stdio: ["ignore", "pipe", "ignore"] });
    this.#program = program;
    this.#timer = setTimeout(() => {
      this.#isSettled = true;
    }, LONGEST_LOOK_MS);
    this.#timer.unref();
    // No such program: a machine without NVIDIA's driver.
    program.once("error", () => this.#forget());
    program.once("exit", () => this.#forget());
    let rest = "";
    program.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
      // All of them are printed at once; the second reading surely comes behind the whole first.
      const isSecond = this.#numTexts > 0;
      this.#numTexts += 1;
      if (isSecond) this.#isSettled = true;
    });
    program.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    // A program that could not be started has no number yet and its error is still to come: to end that one, Node would
    // signal number 0, which is our own process group with whoever started us (a shell, a test run).
    if (this.#program?.pid !== undefined) this.#program.kill();
    this.#forget();
  }

  #take(line: string): void {
    const gpu = parseGpuLine(line);
    if (gpu === undefined) return;
    this.#byIndex.set(gpu.index, gpu);
    const { index, name, memory_total_gib } = gpu;
    this.#seen.set(index, { index, name, memory_total_gib });
  }

  // A reading that is no longer renewed would lie.
  #forget(): void {
    this.#isSettled = true;
    this.#program = undefined;
    this.#byIndex.clear();
  }
}

/** `0, NVIDIA H100, 35, 1024, 81559, 41, 120.50`; `[N/A]` where the GPU does not say. */
export function parseGpuLine(line: string): Gpu | undefined {
  const [index, name, utilization, used, total, temperature, power] = line
    .split(",")
    .map((part) => part.trim());
  const number = (text: string | undefined) =>
    text !== undefined && /^-?[0-9.]+$/.test(text) ? Number(text) : null;
  const numbers = { index: number(index), used: number(used), total: number(total) };
  if (numbers.index === null || numbers.total === null || name === undefined) return undefined;
  return {
    index: numbers.index,
    name,
    utilization_percent: number(utilization),
    memory_used_gib: (numbers.used ?? 0) / MIB_PER_GIB,
    memory_total_gib: numbers.total / MIB_PER_GIB,
    temperature_c: number(temperature),
    power_w: number(power),
  };
}
