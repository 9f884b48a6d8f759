// Processor, memory and network of the host: from /proc on Linux, by Node's own means elsewhere.
// A library that starts programs for each reading would cost more than all the rest of an idle server.
import { readFileSync } from "node:fs";
import os from "node:os";

/** Counters since boot; two of them a second apart make a reading. */
export interface ProcessorTimes {
  readonly busy: number;
  readonly total: number;
}
export interface NetworkBytes {
  readonly received: number;
  readonly sent: number;
}

const isLinux = process.platform === "linux";

export function readProcessorTimes(): ProcessorTimes {
  return isLinux ? parseProcessorTimes(readFileSync("/proc/stat", "utf8")) : nodeProcessorTimes();
}

/** Used without what the system could give back at once (caches). */
export function readMemory(): { readonly used: number; readonly total: number } {
  const total = os.totalmem();
  if (!isLinux) return { used: total - os.freemem(), total };
  return { used: total - parseAvailableMemory(readFileSync("/proc/meminfo", "utf8")), total };
}

/** All interfaces but loopback; null where it cannot be had cheaply. */
export function readNetworkBytes(): NetworkBytes | null {
  return isLinux ? parseNetworkBytes(readFileSync("/proc/net/dev", "utf8")) : null;
}

/** `cpu  user nice system idle iowait irq softirq steal …`, in ticks over all cores. */
export function parseProcessorTimes(stat: string): ProcessorTimes {
  const fields = stat.slice(0, stat.indexOf("\n")).trim().split(/\s+/).slice(1, 9).map(Number);
  const total = fields.reduce((sum, ticks) => sum + ticks, 0);
  const idle = (fields[3] ?? 0) + (fields[4] ?? 0);
  return { busy: total - idle, total };
}

export function parseAvailableMemory(meminfo: string): number {
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0) * 1024;
}

export function parseNetworkBytes(table: string): NetworkBytes {
  let received = 0;
  let sent = 0;
  for (const line of table.split("\n")) {
    const [name, counters] = line.split(":");
    if (counters === undefined || name?.trim() === "lo") continue;
    const fields = counters.trim().split(/\s+/).map(Number);
    received += fields[0] ?? 0;
    sent += fields[8] ?? 0;
  }
  return { received, sent };
}

function nodeProcessorTimes(): ProcessorTimes {
  let idle = 0;
  let total = 0;
  for (const { times } of os.cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { busy: total - idle, total };
}
