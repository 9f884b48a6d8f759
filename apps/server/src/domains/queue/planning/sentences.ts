// Why a job waits, as one sentence.
import type { Resource, Waiting, Why } from "./types.ts";

interface Teller {
  /** How a time is written; null leaves times and places out: a sentence that is stored must not age. */
  readonly clock: ((time: number) => string) | null;
  /** Whether its readers may know of this job; others are spoken of without their number. */
  readonly sees: (jobId: number) => boolean;
}

/** @param place in line, from 1 */
export function sentenceOfWhy(
  why: Why,
  teller: Teller,
  { startsAt, unknown, place }: Pick<Waiting, "startsAt" | "unknown"> & { place: number } = NOWHERE,
): string {
  const { clock, sees } = teller;
  const about = (time: number | null) =>
    time === null || clock === null ? "" : ` until about ${clock(time)}`;
  switch (why.kind) {
    case "resource": {
      if (why.resource === "disk")
        return `Needs ${amount("disk", why.needed)}; ${why.free.toFixed(1)} GiB are free.`;
      const needed = `Needs ${amount(why.resource, why.needed)}`;
      const holders = why.holders.filter(sees);
      if (holders.length === 0) return `${needed}, which others hold${about(why.until)}.`;
      const verb = why.holders.length === 1 ? "holds" : "hold";
      const who = names(holders, why.holders.length);
      return `${needed}; ${who} ${verb} ${isOne(why) ? "it" : "them"}${about(why.until)}.`;
    }
    case "behind": {
      const ahead = why.ahead.filter(sees);
      const behind =
        ahead.length === 0 ? "behind others" : `behind ${names(ahead, why.ahead.length)}`;
      if (clock === null) return "Waits in line behind earlier trainings.";
      const where = `Place ${place} in line, ${behind}`;
      if (startsAt !== null) return `${where}; starts at about ${clock(startsAt)}.`;
      if (unknown === null) return `${where}; when is unknown.`;
      const cause = sees(unknown) ? `run ${unknown}` : "a run in front of it";
      return `${where}; when is unknown: ${cause} has no estimate yet.`;
    }
    case "turn":
      return sees(why.first)
        ? `Would fit, but run ${why.first} is first in line and needs the room.`
        : "Would fit, but another run is first in line and needs the room.";
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

const NOWHERE = { startsAt: null, unknown: null, place: 1 };

/** Of a running job that was asked to give way. */
export function yieldingSentence(by: number | null): string {
  return `Gives way to ${urgentOne(by)}: saves a checkpoint and goes on by itself later.`;
}

/** Of a waiting job that gave way. @param step of its checkpoint @param why it still waits, as a sentence */
export function preemptedSentence(by: number | null, step: number | null, why: string): string {
  const from = step === null ? "its last checkpoint" : `step ${step}`;
  return `Pre-empted by ${urgentOne(by)}; goes on by itself from ${from}. ${why}`;
}

function urgentOne(by: number | null): string {
  return by === null ? "an urgent run of another project" : `run ${by} (urgent)`;
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

/** @param total how many they are, those among them that the reader may not know of too */
function names(seen: readonly number[], total: number): string {
  if (total === 1) return `run ${seen[0]}`;
  const shown = seen.slice(0, 3).map(String);
  const more = total - shown.length;
  return `runs ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
