import { describe, expect, it } from "vitest";
import {
  parseAvailableMemory,
  parseNetworkBytes,
  parseProcessorTimes,
  readMemory,
  readProcessorTimes,
} from "./proc.ts";

describe("readings of the host", () => {
  it("count waiting for the disk as idle", () => {
    const times = parseProcessorTimes("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n");
    expect(times).toEqual({ busy: 150, total: 1000 });
  });

  it("take the memory that is available, not the memory that is free", () => {
    const text = "MemTotal: 16 kB\nMemFree:  1 kB\nMemAvailable:      8 kB\n";
    expect(parseAvailableMemory(text)).toBe(8192);
  });

  it("add up the interfaces and leave loopback out", () => {
    const table = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
  eth0: 100 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0
  eth1:200 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0
`;
    expect(parseNetworkBytes(table)).toEqual({ received: 300, sent: 30 });
  });

  it("can be taken on this machine", () => {
    const { used, total } = readMemory();
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThan(total);
    expect(readProcessorTimes().total).toBeGreaterThan(0);
  });
});
