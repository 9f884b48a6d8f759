// Reads the host each second, keeps the last ten minutes and tells everybody.
import { statfs } from "node:fs/promises";
import os from "node:os";
import type { HostReading } from "@spotter/contract";
import type { Bus } from "../../platform/bus.ts";
import type { Clock } from "../../platform/clock.ts";
import { type GpuFacts, GpuWatch } from "./gpus.ts";
import { readMemory, readNetworkBytes, readProcessorTimes } from "./proc.ts";

const INTERVAL_MS = 1000;
const NUM_KEPT = 600;
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

export interface HostSamplerParts {
  readonly bus: Bus;
  readonly clock: Clock;
  /** The disk that it lies on is the one that is told about. */
  readonly home: string;
  readonly onError: (error: unknown) => void;
}

type Counters = {
  readonly time: number;
  readonly processor: ReturnType<typeof readProcessorTimes>;
  readonly network: ReturnType<typeof readNetworkBytes>;
};

export class HostSampler {
  readonly #parts: HostSamplerParts;
  readonly #gpus = new GpuWatch();
  readonly #readings: HostReading[] = [];
  #before: Counters | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: HostSamplerParts) {
    this.#parts = parts;
  }

  get latest(): HostReading | null {
    return this.#readings.at(-1) ?? null;
  }

  /** The GPUs that the machine has; null while the driver has not answered yet. */
  get gpus(): GpuFacts[] | null {
    return this.#gpus.isSettled ? this.#gpus.seen : null;
  }

  /** Oldest first. */
  get history(): readonly HostReading[] {
    return this.#readings;
  }

  start(): void {
    this.#gpus.start();
    this.#before = this.#count();
    this.#timer = setInterval(() => {
      this.#sample().catch(this.#parts.onError);
    }, INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#gpus.stop();
  }

  async #sample(): Promise<void> {
    const now = this.#count();
    const before = this.#before ?? now;
    this.#before = now;
    const disk = await statfs(this.#parts.home);
    const memory = readMemory();
    const reading: HostReading = {
      time: now.time,
      cpu_percent: processorPercent(before, now),
      memory_used_gib: memory.used / GIB,
      memory_total_gib: memory.total / GIB,
      disk_used_gib: ((disk.blocks - disk.bavail) * disk.bsize) / GIB,
      disk_total_gib: (disk.blocks * disk.bsize) / GIB,
      load_1m: os.loadavg()[0] ?? 0,
      ...networkRates(before, now),
      gpus: this.#gpus.gpus,
    };
    this.#readings.push(reading);
    if (this.#readings.length > NUM_KEPT) this.#readings.shift();
    this.#parts.bus.publish({ type: "host-sampled", reading });
  }

  #count(): Counters {
    return {
      time: this.#parts.clock.now(),
      processor: readProcessorTimes(),
      network: readNetworkBytes(),
    };
  }
}

function processorPercent(before: Counters, now: Counters): number {
  const total = now.processor.total - before.processor.total;
  if (total <= 0) return 0;
  return Math.min(100, Math.max(0, (100 * (now.processor.busy - before.processor.busy)) / total));
}

function networkRates(before: Counters, now: Counters) {
  const seconds = now.time - before.time;
  if (before.network === null || now.network === null || seconds <= 0)
    return { network_receive_mib_s: null, network_send_mib_s: null };
  // A counter falls when an interface goes away; that is no traffic.
  const rate = (from: number, to: number) => Math.max(0, (to - from) / MIB / seconds);
  return {
    network_receive_mib_s: rate(before.network.received, now.network.received),
    network_send_mib_s: rate(before.network.sent, now.network.sent),
  };
}
