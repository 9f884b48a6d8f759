// Who lives in a house besides its server: supervisors, workers and whatever they started, as the system tells it.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

export interface HouseProcess {
  readonly pid: number;
  readonly kind: "supervisor" | "worker" | "other";
  readonly job: number;
  readonly attempt: number;
  readonly command: string;
}

interface Row {
  readonly pid: number;
  /** Of a session of its own, as supervisors and workers are; what they fork looks like them for a moment. */
  readonly isLeader: boolean;
  readonly command: string;
}

/** Supervisors and workers of the data folder `home`. */
export function houseProcesses(home: string): HouseProcess[] {
  return allProcesses().flatMap(({ pid, isLeader, command }) => {
    const run = new RegExp(`--run-dir ${home}/runs/(\\d+) `).exec(`${command} `);
    if (run === null) return [];
    const attempt = Number(/--attempt (\d+)/.exec(command)?.[1] ?? 0);
    return [{ pid, command, job: Number(run[1]), attempt, kind: kindOf(isLeader, command) }];
  });
}

/** Everything alive that names the folder, also by the mark that what a worker starts inherits (Linux alone). */
export function leftIn(folder: string): string[] {
  return allProcesses()
    .filter(({ pid, command }) => command.includes(folder) || markOf(pid).includes(folder))
    .map(({ pid, command }) => `${pid} ${command}`);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kindOf(isLeader: boolean, command: string): HouseProcess["kind"] {
  if (!isLeader) return "other";
  if (command.includes("-m spotter_worker.supervisor ")) return "supervisor";
  return command.includes("-m spotter_worker ") ? "worker" : "other";
}

function allProcesses(): Row[] {
  return existsSync("/proc/self") ? fromProc() : fromPs();
}

function fromProc(): Row[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const command = readIfThere(`/proc/${name}/cmdline`).replaceAll("\0", " ");
    if (command === "") return [];
    const stat = readIfThere(`/proc/${name}/stat`);
    const [state, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; only its parent has not looked yet.
    if (stat === "" || state === "Z" || state === "X") return [];
    return [{ pid: Number(name), isLeader: session === name, command }];
  });
}

function fromPs(): Row[] {
  const columns = ["-axww", "-o", "pid=,pgid=,stat=,command="];
  const text = execFileSync("ps", columns, { encoding: "utf8" });
  return text.split("\n").flatMap((line) => {
    const [, pid, group, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || command === undefined || state?.startsWith("Z")) return [];
    return [{ pid: Number(pid), isLeader: pid === group, command: `${command} ` }];
  });
}

function markOf(pid: number): string {
  const lines = readIfThere(`/proc/${pid}/environ`).split("\0");
  return lines.find((line) => line.startsWith("SPOTTER_ATTEMPT=")) ?? "";
}

/** Gone meanwhile, or somebody else's: neither is ours. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
