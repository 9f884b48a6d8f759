// Points against points, in words where they differ: what is stored against the worker's truth, a curve against its
// twin's. Pure.
import type { Run } from "@spotter/contract";
import type { PointLine } from "../harness/truth.ts";

/** What training decides: all but times and readings of the machine. */
const EXACT = /^(train\/(loss|accuracy|learning_rate)$|val\/|test\/)/;

/** By `job/attempt`: series → points. */
export type Truths = ReadonlyMap<string, ReadonlyMap<string, readonly PointLine[]>>;
/** Series → step → value, as a chart shows them. */
export type Curves = ReadonlyMap<string, ReadonlyMap<number, string>>;
type Attempts = Pick<Run, "id" | "attempts">;

/** By the workers' own clocks: an attempt's first point comes after the last one of the attempt before. */
export function attemptsAtOnce(truths: Truths, run: Attempts): string[] {
  const faults: string[] = [];
  let lastEnd = 0;
  for (const { attempt } of run.attempts) {
    const times = [...truthOf(truths, run.id, attempt).values()].flat().map(timeOf);
    if (times.length === 0) continue;
    if (times.reduce((a, b) => Math.min(a, b)) < lastEnd)
      faults.push(`attempt ${attempt} logged while the one before still did`);
    lastEnd = times.reduce((a, b) => Math.max(a, b), lastEnd);
  }
  return faults;
}

/**
 * What is stored of an attempt is what its worker logged, from the first point on without a gap; all of it where it ended
 * in order, and at least up to the checkpoint from which the next one went on.
 */
export function comparedToTruth(
  stored: ReadonlyMap<string, readonly PointLine[]>,
  truths: Truths,
  run: Attempts,
): string[] {
  const faults: string[] = [];
  run.attempts.forEach(({ attempt }, index) => {
    const next = run.attempts.slice(index + 1).find((one) => one.first_step !== null);
    const truth = truthOf(truths, run.id, attempt);
    for (const [name, logged] of truth) {
      const kept = (stored.get(name) ?? []).filter((line) => line.startsWith(`${attempt} `));
      if (kept.some((line, at) => line !== logged[at]))
        faults.push(`${name} of attempt ${attempt} is not what the worker logged`);
      const isOwed = (line: PointLine) =>
        next === undefined || (EXACT.test(name) && stepOf(line) < (next.first_step ?? 0));
      const numOwed = logged.filter(isOwed).length;
      if (kept.length < numOwed)
        faults.push(`${name} of attempt ${attempt}: ${numOwed - kept.length} points are lost`);
    }
    for (const [name, lines] of stored)
      if (!truth.has(name) && lines.some((line) => line.startsWith(`${attempt} `)))
        faults.push(`${name} of attempt ${attempt} was never logged`);
  });
  return faults;
}

export function comparedCurves(found: Curves, expected: Curves): string[] {
  return [...new Set([...found.keys(), ...expected.keys()])].flatMap((name) => {
    const [own, twins] = [found.get(name) ?? new Map(), expected.get(name) ?? new Map()];
    const differs = [...new Set([...own.keys(), ...twins.keys()])].filter(
      (step) => own.get(step) !== twins.get(step),
    );
    if (differs.length === 0) return [];
    return [`${name} differs from its twin's at ${differs.length} steps, first ${differs[0]}`];
  });
}

/** Of each step the latest attempt's point that no later attempt has superseded. */
export function curvesOf(
  stored: ReadonlyMap<string, readonly PointLine[]>,
  attempts: Run["attempts"],
): Curves {
  const curves = new Map<string, Map<number, string>>();
  for (const [name, lines] of stored) {
    if (!EXACT.test(name)) continue;
    const curve = new Map<number, string>();
    for (const line of lines) {
      const [attempt = "", step = "", , value = ""] = line.split(" ");
      const isSuperseded = attempts.some(
        (one) => one.attempt > Number(attempt) && (one.first_step ?? Infinity) <= Number(step),
      );
      if (!isSuperseded) curve.set(Number(step), value);
    }
    curves.set(name, curve);
  }
  return curves;
}

function truthOf(truths: Truths, job: number, attempt: number) {
  return truths.get(`${job}/${attempt}`) ?? new Map<string, readonly PointLine[]>();
}

function stepOf(line: PointLine): number {
  return Number(line.split(" ")[1]);
}

function timeOf(line: PointLine): number {
  return Number(line.split(" ")[2]);
}
