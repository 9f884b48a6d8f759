// In which order jobs get their chance: first those that only go back to a checkpoint; then by priority; then those that gave way to a more urgent one; then what an
// administrator put by hand; then whoever held least of the machine; among the jobs of one person by age.
import { shareOf } from "./free-room.ts";
import type { Machine, People, RunningJob, WaitingJob } from "./types.ts";

export function inOrder(
  waiting: readonly WaitingJob[],
  running: readonly RunningJob[],
  machine: Machine,
  people: People,
  now: number,
): WaitingJob[] {
  const held = new Map(people.lately);
  const add = (ownerId: number | null, share: number) =>
    held.set(ownerId, (held.get(ownerId) ?? 0) + share);
  for (const job of running) add(job.ownerId, shareOf(job.needs, machine));
  const ordered: WaitingJob[] = [];
  const goBack = waiting.filter((job) => job.goesBack).sort((a, b) => a.id - b.id);
  for (const job of goBack) add(job.ownerId, shareOf(job.needs, machine));
  ordered.push(...goBack);
  const fromOutside = waiting.filter((job) => !job.goesBack);
  for (const ofClass of classesOf(fromOutside, now)) {
    const preempted = ofClass.filter((job) => job.isPreempted);
    preempted.sort((a, b) => a.place - b.place || a.id - b.id);
    const others = ofClass.filter((job) => !job.isPreempted);
    const pinned = others.filter((job) => job.pinned !== null);
    pinned.sort((a, b) => (a.pinned ?? 0) - (b.pinned ?? 0) || a.place - b.place);
    for (const job of [...preempted, ...pinned]) add(job.ownerId, shareOf(job.needs, machine));
    ordered.push(...preempted, ...pinned);
    const lines = linesOf(others.filter((job) => job.pinned === null));
    while (lines.size > 0) {
      const [ownerId, line] = fairest(lines, held);
      const job = line.shift();
      if (job === undefined || line.length === 0) lines.delete(ownerId);
      if (job === undefined) continue;
      // Each start counts, so that the next one is another's turn.
      add(ownerId, shareOf(job.needs, machine));
      ordered.push(job);
    }
  }
  return ordered;
}

type Line = WaitingJob[];

/** So long a job waits in its class; then it goes with the next higher one. Else a full machine never comes to it. */
const LIFT_AFTER_S = 6 * 3600;
/** Nothing is lifted above it: the urgent stay by themselves. */
const HIGHEST_LIFTED = 1;

function classOf({ priority, queuedAt }: WaitingJob, now: number): number {
  const lifted = priority + Math.max(0, Math.floor((now - queuedAt) / LIFT_AFTER_S));
  return Math.max(priority, Math.min(HIGHEST_LIFTED, lifted));
}

function classesOf(waiting: readonly WaitingJob[], now: number): Line[] {
  const classes = new Map<number, Line>();
  for (const job of waiting) {
    const itsClass = classOf(job, now);
    const ofClass = classes.get(itsClass) ?? [];
    ofClass.push(job);
    classes.set(itsClass, ofClass);
  }
  return [...classes].sort(([a], [b]) => b - a).map(([, jobs]) => jobs);
}

function linesOf(jobs: readonly WaitingJob[]): Map<number | null, Line> {
  const lines = new Map<number | null, Line>();
  for (const job of [...jobs].sort((a, b) => a.place - b.place || a.id - b.id)) {
    const line = lines.get(job.ownerId) ?? [];
    line.push(job);
    lines.set(job.ownerId, line);
  }
  return lines;
}

/** Who held least; of two alike, whose first job is older. */
function fairest(
  lines: ReadonlyMap<number | null, Line>,
  held: ReadonlyMap<number | null, number>,
): [number | null, Line] {
  let best: [number | null, Line] | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [ownerId, line] of lines) {
    const share = held.get(ownerId) ?? 0;
    const isOlder = (line[0]?.place ?? 0) < (best?.[1][0]?.place ?? 0);
    if (share < least - 1e-9 || (share < least + 1e-9 && isOlder)) {
      best = [ownerId, line];
      least = Math.min(least, share);
    }
  }
  if (best === undefined) throw new Error("nobody has a job in line");
  return best;
}
