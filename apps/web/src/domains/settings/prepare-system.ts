// The server's facts and the host's readings as lines. Pure.
import type { HostReading, SystemInfo } from "@spotter/contract";
import { formatGib, MISSING } from "../../platform/format/index.ts";

export interface Meter {
  key: "cpu" | "memory" | "disk" | "gpu" | "gpuMemory";
  /** Where the thing has a name of its own. */
  label: string;
  share: number | null;
  text: string;
}

export function metersOf(reading: HostReading): Meter[] {
  const used = (part: number, whole: number): Pick<Meter, "share" | "text"> => ({
    share: whole > 0 ? part / whole : null,
    text: `${formatGib(part)} / ${formatGib(whole)}`,
  });
  return [
    { key: "cpu", label: "", ...percent(reading.cpu_percent) },
    { key: "memory", label: "", ...used(reading.memory_used_gib, reading.memory_total_gib) },
    { key: "disk", label: "", ...used(reading.disk_used_gib, reading.disk_total_gib) },
    ...reading.gpus.flatMap((gpu): Meter[] => [
      { key: "gpu", label: `${gpu.index} · ${gpu.name}`, ...percent(gpu.utilization_percent) },
      { key: "gpuMemory", label: "", ...used(gpu.memory_used_gib, gpu.memory_total_gib) },
    ]),
  ];
}

export interface Fact {
  key: string;
  text: string;
  isBad: boolean;
}

export function factsOf(info: SystemInfo): Fact[] {
  const fact = (key: string, text: string, isBad = false): Fact => ({ key, text, isBad });
  const { python } = info;
  const training = python.ready
    ? `Python ${python.version ?? MISSING} · torch ${python.torch ?? MISSING}`
    : (python.message ?? MISSING);
  return [
    fact("version", info.version),
    fact("dataFolder", info.data_folder),
    fact("database", info.database === "sqlite" ? "SQLite" : "PostgreSQL"),
    fact("training", training, !python.ready),
    fact("dataRoots", info.data_roots.length === 0 ? MISSING : info.data_roots.join(", ")),
    fact("machine", `${info.hostname} · ${info.platform}`),
    fact("processor", `${info.cpu_model} × ${info.cpu_cores}`),
    fact("node", info.node),
  ];
}

function percent(value: number | null): Pick<Meter, "share" | "text"> {
  if (value === null) return { share: null, text: MISSING };
  return { share: Math.min(1, value / 100), text: `${value.toFixed(0)} %` };
}
