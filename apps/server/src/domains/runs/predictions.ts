// Answers predictions: a light job loads saved weights beside whatever trains, and the caller waits for it.
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  PredictAnswer,
  type PredictInput,
  type PredictRequest,
  type RecipeName,
} from "@spotter/contract";
import type { z } from "zod";
import { invalidRequest } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import type { QueueService } from "../queue/index.ts";
import { noWeights, predictionFailed, stateConflict } from "./errors.ts";
import { locateSources, type PlaceParts } from "./places.ts";
import { asJson, parseConfig } from "./run-config.ts";
import { pathInside } from "./run-files.ts";
import type { RunsStore } from "./store.ts";
import type { RunRow } from "./tables.ts";

const TIMEOUT_MS = 120_000;

/** Weights that answer: a run's, or a model version's. */
export interface SavedModel {
  readonly runId: number;
  /** For the job's name. */
  readonly name: string;
  readonly projectId: number;
  readonly recipe: RecipeName;
  readonly config: unknown;
  /** Absolute. */
  readonly folder: string;
  /** The answer names the weights by their path from here. */
  readonly relativeTo: string;
}

export class Predictions {
  readonly #store: RunsStore;
  readonly #queue: QueueService;
  readonly #sources: PlaceParts;
  readonly #folder: string;

  /** @param folder where uploaded images lie until they are answered */
  constructor(parts: {
    store: RunsStore;
    queue: QueueService;
    sources: PlaceParts;
    folder: string;
  }) {
    this.#store = parts.store;
    this.#queue = parts.queue;
    this.#sources = parts.sources;
    this.#folder = parts.folder;
  }

  /** Images that a server which died had in hand. */
  clear(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async predict(
    row: RunRow,
    wish: z.output<typeof PredictRequest>,
    caller: Caller,
  ): Promise<PredictAnswer> {
    if (row.recipe === null)
      throw stateConflict(`Run ${row.id} was not trained by a recipe of Spotter.`);
    if (row.recipe === "command")
      throw stateConflict(
        `Run ${row.id} ran a program that only itself knows how to predict with.`,
      );
    const file = await this.#store.newestFile(row.id, "weights");
    if (file === undefined) throw noWeights();
    const runDir = this.#queue.runDir(row.id);
    await this.#queue.filesAt(row.id, file.path);
    const saved: SavedModel = {
      runId: row.id,
      name: row.name,
      projectId: row.project_id,
      recipe: row.recipe,
      config: JSON.parse(row.config),
      folder: path.dirname(await pathInside(runDir, file.path)),
      relativeTo: runDir,
    };
    return this.answer(saved, wish, caller);
  }

  /** Throws `prediction-failed` with what the worker said. */
  async answer(
    saved: SavedModel,
    wish: z.output<typeof PredictRequest>,
    caller: Caller,
  ): Promise<PredictAnswer> {
    if (wish.inputs.length + wish.test_samples === 0)
      throw invalidRequest([
        { path: "body", message: "give at least one input, or ask for test samples" },
      ]);
    this.#queue.requireExecutor();
    await this.#queue.requireLightRoom(caller.userId);
    const uploads = await this.#saveUploads(wish);
    try {
      const samples = Array.from({ length: wish.test_samples }, (_, sample) => ({
        ...{ name: `test:${sample}`, file: null, text: null },
        sample,
      }));
      const inputs = [...uploads.inputs, ...samples];
      return toAnswer(saved, inputs, await this.#run(saved, inputs, caller));
    } finally {
      if (uploads.folder !== null) await rm(uploads.folder, { recursive: true, force: true });
    }
  }

  async #run(
    { recipe, config: given, projectId, name, folder }: SavedModel,
    inputs: PredictInput[],
    caller: Caller,
  ): Promise<Record<string, unknown>> {
    const config = parseConfig(recipe, given);
    const needsData = inputs.some((input) => input.sample !== null);
    // Nothing but the data: the models that a run began with or learnt from may be gone by now.
    const located = needsData
      ? await locateSources(this.#sources, recipe, { data: config.data }, projectId)
      : null;
    const jobId = await this.#store.transaction((transaction) =>
      this.#queue.submit(transaction, {
        kind: "predict",
        projectId,
        ownerId: caller.userId,
        ownerName: caller.userName,
        nameOf: () => `predict with ${name}`,
        work: {
          recipe,
          config: asJson(config),
          places: located?.places ?? {},
          predict: { weights: folder, inputs },
        },
      }),
    );
    this.#queue.kick();
    const job = await this.#queue.waitForEnd(jobId, TIMEOUT_MS);
    if (job === null) {
      if (!(await this.#queue.cancelQueued(jobId))) await this.#queue.killNow(jobId);
      throw predictionFailed(
        `The prediction took longer than ${TIMEOUT_MS / 1000} s and was given up.`,
      );
    }
    if (job.state !== "finished" || job.result === null)
      throw predictionFailed(
        job.reason === null
          ? "The prediction ended without an answer."
          : underGivenNames(job.reason, inputs),
      );
    return JSON.parse(job.result) as Record<string, unknown>;
  }

  async #saveUploads(
    wish: z.output<typeof PredictRequest>,
  ): Promise<{ folder: string | null; inputs: PredictInput[] }> {
    if (wish.inputs.length === 0) return { folder: null, inputs: [] };
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const folder = await mkdtemp(path.join(this.#folder, "inputs-"));
    const inputs: PredictInput[] = [];
    for (const [index, given] of wish.inputs.entries()) {
      // The person's name for it is shown, never used as a path.
      const file = given.base64 === undefined ? null : path.join(folder, `input-${index}`);
      if (file !== null) await writeFile(file, Buffer.from(given.base64 ?? "", "base64"));
      inputs.push({ name: given.name, file, text: given.text ?? null, sample: null });
    }
    return { folder, inputs };
  }
}

/** The worker speaks of a file as it lies here, its caller knows it by another name. */
export function underGivenNames(sentence: string, inputs: readonly PredictInput[]): string {
  return inputs.reduce((told, { name, file }) => {
    if (file === null) return told;
    const place = path.join(path.basename(path.dirname(file)), path.basename(file));
    return told.replaceAll(file, () => name).replaceAll(place, () => name);
  }, sentence);
}

/** Inputs under the names that the caller gave, and the weights' place as far as it concerns the caller. */
function toAnswer(
  saved: SavedModel,
  inputs: readonly PredictInput[],
  result: Record<string, unknown>,
): PredictAnswer {
  const answer = PredictAnswer.parse({ ...result, run_id: saved.runId });
  // The worker names them as they lie on its machine.
  const weights = path.join(saved.folder, path.basename(answer.weights));
  const failures = answer.failures.map(({ input, reason }) => ({
    input,
    reason: underGivenNames(reason, inputs),
  }));
  return { ...answer, failures, weights: path.relative(saved.relativeTo, weights) };
}
