// What the form of a fork asks the server for, and which fields it offers. Pure.
import { ApiError } from "@spotter/client";
import {
  type ForkKept,
  type ForkPlan,
  type ForkRequest,
  fixedInFork,
  type RecipeName,
  type RunFile,
} from "@spotter/contract";
import type { z } from "zod";
import type { Config, FormField } from "../new-run/prepare-fields.ts";
import { type Wishes, wishBody } from "../new-run/prepare-wishes.ts";

export type Part = keyof ForkKept;
export const PARTS: readonly Part[] = ["optimizer", "scheduler", "rng", "data_position"];
/** What people change most when they fork; shown before anything is searched for. */
const USUAL: readonly string[] = ["learning_rate", "epochs", "max_steps", "weight_decay"];
const MAX_USUAL = 3;

export interface ForkForm {
  step: number | null;
  /** Parts that the person does not want to keep. */
  dropped: ReadonlySet<Part>;
  changes: Config;
  seeds: number;
  name: string;
  wishes: Wishes;
}

/** What is not dropped is kept where the changes allow it: nothing is insisted on. */
export function requestOf(form: ForkForm): z.input<typeof ForkRequest> {
  return {
    checkpoint: form.step ?? "last",
    keep: Object.fromEntries([...form.dropped].map((part) => [part, false])),
    changes: form.changes,
    seeds: form.seeds,
    ...(form.name.trim() === "" ? {} : { name: form.name.trim() }),
    ...wishBody(form.wishes),
  };
}

/** Checkpoints that are there, the newest first; one a step. */
export function forkableSteps(files: readonly RunFile[]): { step: number; label: string | null }[] {
  const byStep = new Map<number, string | null>();
  for (const file of files)
    if (file.kind === "checkpoint" && file.removed_at === null && file.step !== null)
      byStep.set(file.step, file.label ?? byStep.get(file.step) ?? null);
  return [...byStep].map(([step, label]) => ({ step, label })).sort((a, b) => b.step - a.step);
}

/** The newest checkpoint that is left where the server found that the chosen one is gone; null for all other failures. */
export function newestKept(failure: unknown): number | null {
  if (!(failure instanceof ApiError) || failure.code !== "checkpoint-not-found") return null;
  const { steps } = failure.details;
  const numbers = Array.isArray(steps) ? steps.filter((step) => typeof step === "number") : [];
  return numbers.length === 0 ? null : Math.max(...numbers);
}

/** Fields that a fork may change. */
export function openFields(recipe: RecipeName, fields: readonly FormField[]): FormField[] {
  return fields.filter((field) => fixedInFork(recipe, field.key) === null);
}

/** The fields that stand in the form from the beginning. */
export function usualFields(fields: readonly FormField[], config: Config): string[] {
  const given = (key: string) => key !== "max_steps" || config.max_steps !== null;
  const present = USUAL.filter((key) => fields.some((field) => field.key === key) && given(key));
  return present.slice(0, MAX_USUAL);
}

/** Whether what stands in the form may be started: a plan that is of before a wrong value was typed says nothing. */
export function mayStart(form: {
  plan: Pick<ForkPlan, "warnings"> | null;
  isPlanning: boolean;
  problems: ReadonlyMap<string, unknown>;
}): boolean {
  if (form.plan === null || form.isPlanning || form.problems.size > 0) return false;
  return form.plan.warnings.every(({ code }) => code !== "no-steps-left");
}
