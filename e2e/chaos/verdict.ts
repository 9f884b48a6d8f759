// What must hold when the dust has settled, each fault in one sentence: points against the worker's own truth file and
// against an undisturbed twin's, weights bit for bit, states, and nobody left behind.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { getQueue, listRunFiles, type Run } from "@spotter/contract";
import type { House } from "../harness/house.ts";
import { readStored } from "../harness/truth.ts";
import {
  attemptsAtOnce,
  type Curves,
  comparedCurves,
  comparedToTruth,
  curvesOf,
  type Truths,
} from "./compare.ts";

export interface Expected {
  readonly weights: string;
  readonly curves: Curves;
}

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
