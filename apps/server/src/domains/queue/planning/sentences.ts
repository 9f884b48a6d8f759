// Why a job waits, as one sentence.
import type { Resource, Why } from "./types.ts";

/** @param clock how a time is written; null leaves times out: a sentence that is stored must not age */
export function sentenceOfWhy(why: Why, clock: ((time: number) => string) | null): string {
  const about = (time: number | null) =>
    time === null || clock === null ? "" : ` until about ${clock(time)}`;
  switch (why.kind) {
    case "resource":
      if (why.resource === "disk")
        return `Needs ${amount("disk", why.needed)}; ${why.free.toFixed(1)} GiB are free.`;
      if (why.holders.length === 0)
        return `Needs ${amount(why.resource, why.needed)}, which others hold.`;
      return `Needs ${amount(why.resource, why.needed)}; ${names(why.holders)} ${why.holders.length === 1 ? "holds" : "hold"} ${isOne(why) ? "it" : "them"}${about(why.until)}.`;
    case "turn":
      return `Would fit, but run ${why.first} is first in line and needs the room.`;
    case "never":
      return `Needs ${amount(why.resource, why.needed)}; this machine has ${has(why.resource, why.has)}.`;
    case "quota":
      return `Waits for one of its owner's ${why.running} running trainings to end: no more of one person run at once.`;
    case "retry":
      return clock === null
        ? "Its last attempt was lost; it is tried again after a pause."
        : `Its last attempt was lost; it is tried again at about ${clock(why.until)}.`;
  }
}

function amount(resource: Resource, needed: number): string {
  const gib = `${Number(needed.toFixed(1))} GiB`;
  if (resource === "gpus") return needed === 1 ? "1 GPU" : `${needed} GPUs`;
  if (resource === "cpu_cores") return needed === 1 ? "1 CPU core" : `${needed} CPU cores`;
  if (resource === "gpu_memory") return `${gib} of GPU memory`;
  return resource === "memory" ? `${gib} of memory` : `${gib} of free disk`;
}

function has(resource: Resource, there: number): string {
  if (resource === "gpus" || resource === "cpu_cores") return there === 0 ? "none" : String(there);
  return there === 0 ? "none" : `${Number(there.toFixed(1))} GiB`;
}

/** Memory is spoken of as one thing. */
function isOne({ resource, needed }: Extract<Why, { kind: "resource" }>): boolean {
  return needed === 1 || resource === "memory" || resource === "gpu_memory";
}

function names(holders: readonly number[]): string {
  if (holders.length === 1) return `run ${holders[0]}`;
  const shown = holders.slice(0, 3).map(String);
  const more = holders.length - shown.length;
  return `runs ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
