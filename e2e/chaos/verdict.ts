// What must hold when the dust has settled, each fault in one sentence: points against the worker's own truth file and
// against an undisturbed twin's, weights bit for bit, states, and nobody left behind.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { getQueue, listRunFiles, type Run } from "@spotter/contract";
import type { House } from "../harness/house.ts";
import { type PointLine, readStored } from "../harness/truth.ts";

/** What training decides: all but times and readings of the machine. */
const EXACT = /^(train\/(loss|accuracy|learning_rate)$|val\/|test\/)/;

export interface Expected {
  readonly weights: string;
  /** Series → step → value, as a chart shows them. */
  readonly curves: Curves;
}
/** By `job/attempt`. */
export type Truths = ReadonlyMap<string, ReadonlyMap<string, readonly PointLine[]>>;
type Curves = ReadonlyMap<string, ReadonlyMap<number, string>>;

export async function originalOf(house: House, runId: number): Promise<Expected> {
  return {
    weights: weightsOf(house, runId),
    curves: curvesOf(await readStored(house, runId), (await house.run(runId)).attempts),
  };
}

/** Faults of one run that was disturbed. */
export async function faultsOf(
  house: House,
  run: Run,
  truths: Truths,
  twin: Expected,
): Promise<string[]> {
  const faults: string[] = [];
  const say = (text: string) => faults.push(`run ${run.id}: ${text}`);
  if (run.state !== "finished") {
    say(`ended as ${run.state}: ${run.reason}`);
    return faults;
  }
  if (run.attempts.some(({ state }) => state !== "ended")) say("an attempt never ended");
  for (const text of attemptsAtOnce(truths, run)) say(text);
  const stored = await readStored(house, run.id);
  for (const text of comparedToTruth(stored, truths, run)) say(text);
  for (const text of comparedCurves(curvesOf(stored, run.attempts), twin.curves)) say(text);
  const weights = weightsOf(house, run.id);
  if (weights !== twin.weights) say("its weights differ from its undisturbed twin's");
  const { files } = await house.client.call(listRunFiles, { params: { run_id: run.id } });
  const told = files.filter(({ kind, removed_at }) => kind === "weights" && removed_at === null);
  if (told.length !== 1 || told[0]?.sha256 !== weights)
    say(`${told.length} files of weights are listed, and one with the right hash was expected`);
  return faults;
}

/** Nothing may be held or run any more once every job has ended. */
export async function heldResources(house: House): Promise<string[]> {
  const { running, waiting } = await house.client.call(getQueue, {});
  return [...running, ...waiting].map(({ job_id }) => `job ${job_id} still holds a place`);
}

export function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });
}

export function weightsOf(house: House, runId: number): string {
  const file = join(house.home, "runs", String(runId), "weights", "model.safetensors");
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/** By the workers' own clocks: an attempt's first point comes after the last one of the attempt before. */
function attemptsAtOnce(truths: Truths, run: Run): string[] {
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
function comparedToTruth(
  stored: ReadonlyMap<string, readonly PointLine[]>,
  truths: Truths,
  run: Run,
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

function comparedCurves(found: Curves, expected: Curves): string[] {
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
function curvesOf(
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
