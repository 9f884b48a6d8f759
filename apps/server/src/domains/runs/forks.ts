// Forks of runs: what one would be, queueing one for each seed, and the family that grows from them.
import {
  type ForkPlan,
  type ForkRequest,
  type ForkSpec,
  type JsonObject,
  type Lineage,
  type RecipeName,
  recipes,
} from "@spotter/contract";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import { ConstraintViolation } from "../../platform/db/failures.ts";
import { invalidRequest, SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import type { QueueService } from "../queue/index.ts";
import { noteOf } from "./audit-note.ts";
import {
  checkpointNotFound,
  forkNotPossible,
  forkWithoutSteps,
  noCheckpoint,
  stateConflict,
} from "./errors.ts";
import { requireFitting } from "./fitting.ts";
import {
  type ForkOrigins,
  type Inspected,
  inspectCheckpoint,
  inspectFolder,
} from "./fork-origins.ts";
import { changesOf, planFork } from "./fork-plan.ts";
import { littleDisk } from "./fork-warnings.ts";
import type { ForksStore } from "./forks-store.ts";
import { configInForce, startedConfig } from "./live-values.ts";
import { locateSources, type PlaceParts } from "./places.ts";
import { asJson, parseConfig } from "./run-config.ts";
import type { RunService } from "./service.ts";
import type { RunsStore } from "./store.ts";
import type { RunFacts, RunFileRow, RunRow } from "./tables.ts";
import { toLineageNode } from "./views.ts";

type Wish = z.output<typeof ForkRequest>;
type Config = z.infer<typeof JsonObject>;
type TrainedRow = RunRow & { readonly recipe: RecipeName };

interface Planned {
  readonly plan: ForkPlan;
  readonly file: RunFileRow;
  readonly before: Config;
  readonly after: Config;
}

/** The checkpoint that forks begin in, among those of its run. */
interface Origin {
  readonly file: RunFileRow;
  readonly checkpoints: readonly RunFileRow[];
  readonly inspected: Inspected;
}

interface Insertion extends Planned {
  readonly row: RunRow;
  readonly parent: TrainedRow;
  readonly wish: Wish;
  readonly caller: Caller;
  readonly places: Record<string, string>;
  readonly dataName: string | null;
}

/** The place that the worker finds the checkpoint by. */
const CHECKPOINT_PLACE = "fork_checkpoint";
const MIB = 1024 ** 2;

export interface ForksParts {
  readonly runs: RunService;
  readonly store: RunsStore;
  readonly forks: ForksStore;
  readonly origins: ForkOrigins;
  readonly queue: QueueService;
  readonly sources: PlaceParts;
  readonly audit: AuditRecorder;
}

export class Forks {
  readonly #parts: ForksParts;

  constructor(parts: ForksParts) {
    this.#parts = parts;
  }

  async preview(row: RunRow, wish: Wish): Promise<ForkPlan> {
    return (await this.#plan(row, wish)).plan;
  }

  /** All of them or none; each begins on its own in the same checkpoint. */
  async create(
    row: RunRow,
    wish: Wish,
    caller: Caller,
    address: string,
  ): Promise<{ plan: ForkPlan; rows: RunRow[] }> {
    const { runs, queue, origins, audit } = this.#parts;
    // First: the checkpoint may be gone since, or another one be the last.
    const before = await this.#madeBefore(row, wish);
    if (before !== null) return before;
    const planned = await this.#plan(row, wish);
    const { plan, file, after } = planned;
    if (plan.warnings.some(({ code }) => code === "no-steps-left"))
      throw forkWithoutSteps(plan.checkpoint.step, plan.total_steps ?? 0);
    queue.requireAllowed(wish, after, row.project_id, caller);
    queue.requireExecutor();
    const parent = forkable(row);
    await this.#requireRoom(file.size * plan.seeds.length);
    const located = await locateSources(this.#parts.sources, parent.recipe, after, row.project_id);
    const { data, dataName } = located;
    // The weights are the checkpoint's own: what the parent once started from does not count again.
    await requireFitting(this.#parts.sources.datasets, parent.recipe, after, { data, models: {} });
    const inspected = await this.#inspect(row, file);
    const folder = await origins.keep(file.sha256, inspected);
    const places = { ...located.places, [CHECKPOINT_PLACE]: folder };
    let ids: number[];
    try {
      ids = await this.#insert({ ...planned, row, parent, wish, caller, places, dataName });
    } catch (error) {
      // The same request came twice at once, and the other one was faster.
      const isTaken = error instanceof ConstraintViolation && error.kind === "unique";
      const theirs = isTaken ? await this.#madeBefore(row, wish) : null;
      if (theirs === null) throw error;
      return theirs;
    }
    runs.inserted(ids);
    await audit.record({
      ...noteOf(row, caller, address, "run-forked"),
      details: {
        ...{ forks: ids, step: plan.checkpoint.step, keep: plan.keep, changes: wish.changes },
        ...{ priority: wish.priority, resources: wish.resources, limits: wish.limits },
      },
    });
    return { plan, rows: await Promise.all(ids.map((id) => runs.require(id))) };
  }

  async lineage(row: RunRow): Promise<Lineage> {
    const { relatives, truncated } = await this.#parts.forks.family(row.id);
    return {
      run_id: row.id,
      runs: relatives.map(({ row: one, fork }) => toLineageNode(one, fork)),
      truncated,
    };
  }

  #insert({ row, wish, caller, parent, plan, file, before, after, places, dataName }: Insertion) {
    const { runs, store, forks } = this.#parts;
    return store.transaction(async (transaction) => {
      const inserted: number[] = [];
      for (const [index, seed] of plan.seeds.entries()) {
        const config = { ...after, seed };
        const changes = changesOf(before, config);
        const fork = forkSpec(parent, plan, changes, classesOf(row));
        const id = await runs.insertInside(transaction, {
          wish: {
            ...{ project_id: row.project_id, recipe: parent.recipe, config, note: wish.note },
            tags: wish.tags,
            ...{ priority: wish.priority, resources: wish.resources, limits: wish.limits },
            ...(wish.client_id === undefined ? {} : { client_id: clientId(wish.client_id, index) }),
            ...(wish.name === undefined ? {} : { name: nameOf(wish.name, seed, plan) }),
          },
          caller,
          source: "recipe",
          work: { recipe: parent.recipe, config: asJson(config), places, predict: null, fork },
          defaultName: (runId) => `${familyName(row.name)}-fork-${runId}`,
          names: { model_name: row.model_name, data_name: dataName },
          parentId: row.id,
        });
        await forks.insert(transaction, {
          run_id: id,
          parent_id: row.id,
          step: plan.checkpoint.step,
          checkpoint_sha256: file.sha256,
          keep: JSON.stringify(plan.keep),
          changes: JSON.stringify(changes),
        });
        inserted.push(id);
      }
      return inserted;
    });
  }

  async #plan(row: RunRow, wish: Wish): Promise<Planned> {
    const { store } = this.#parts;
    forkable(row);
    const checkpoints = (await store.files(row.id)).filter(isCheckpoint);
    const file = chosen(row.id, checkpoints, wish.checkpoint);
    const inspected = await this.#inspect(row, file);
    return this.#planFrom(row, wish, { file, checkpoints, inspected });
  }

  async #planFrom(
    row: RunRow,
    wish: Wish,
    { file, checkpoints, inspected: { standing, config } }: Origin,
  ): Promise<Planned> {
    const { queue } = this.#parts;
    const parent = forkable(row);
    const before = baseConfig(parent, config);
    const after = asJson(parseConfig(parent.recipe, { ...before, ...wish.changes }));
    const started = startedConfig(parent.recipe, row.config);
    const now = configInForce(started, await queue.commands(row.id));
    // What the run told last counts batches of the size that it has now.
    const isSameSize = now.batch_size === before.batch_size;
    const batches =
      row.progress === null || !isSameSize ? null : (JSON.parse(row.progress).batches as number);
    const decided = planFork({ recipe: parent.recipe, before, after, wish, standing, batches });
    const { step } = standing;
    const { epoch, path, size, label } = file;
    const plan: ForkPlan = {
      run_id: row.id,
      checkpoint: { ...{ step, path, size, label }, epoch: epoch ?? standing.epoch },
      steps: [...new Set(checkpoints.map((one) => one.step ?? 0))].sort((a, b) => a - b),
      ...decided,
      warnings: [...decided.warnings, ...(await this.#diskWarnings(after, size, wish.seeds))],
    };
    return { plan, file, before, after };
  }

  async #inspect(row: RunRow, file: RunFileRow): Promise<Inspected> {
    const { queue } = this.#parts;
    await queue.filesAt(row.id, file.path);
    return inspectCheckpoint(queue.runDir(row.id), file);
  }

  async #diskWarnings(after: Config, size: number, numForks: number) {
    const free = await this.#parts.origins.freeBytes();
    const kept = Number(after.keep_checkpoints ?? 1) + Number(after.keep_best ?? 1) + 1;
    const wanted = size * kept * numForks;
    return free < wanted ? [littleDisk(mebibytes(free), mebibytes(wanted))] : [];
  }

  /** Each fork writes at least one checkpoint of its own, as large as the one that it begins in. */
  async #requireRoom(bytes: number): Promise<void> {
    const free = await this.#parts.origins.freeBytes();
    if (free >= bytes) return;
    throw new SpotterError(
      "disk-full",
      `The forks' first checkpoints need ${mebibytes(bytes)}; ${mebibytes(free)} are free. Nothing was started.`,
    );
  }

  /** What an earlier request with this client id has made, as far as it is still there, and its plan; null: nothing. */
  async #madeBefore(row: RunRow, wish: Wish): Promise<{ plan: ForkPlan; rows: RunRow[] } | null> {
    const { store, forks, origins } = this.#parts;
    const { client_id: given, seeds } = wish;
    if (given === undefined) return null;
    const ids = Array.from({ length: seeds }, (_, index) => clientId(given, index));
    const rows = await store.byClientIds(row.project_id, ids);
    if (rows[0] === undefined) return null;
    const fork = await forks.row(rows[0].id);
    // Also when the run's own policy has removed the checkpoint since: the forks keep theirs.
    const files = await store.files(row.id);
    const file = files.find(
      ({ kind, sha256 }) => kind === "checkpoint" && sha256 === fork?.checkpoint_sha256,
    );
    if (fork?.parent_id !== row.id || file === undefined)
      throw invalidRequest([
        { path: "body.client_id", message: "was used for another run before; take a new one" },
      ]);
    const inspected = await inspectFolder(origins.placeOf(file.sha256), file);
    const checkpoints = files.filter((one) => isCheckpoint(one) || one === file);
    const { plan } = await this.#planFrom(row, wish, { file, checkpoints, inspected });
    return { plan, rows };
  }
}

function forkable(row: RunRow): TrainedRow {
  const { recipe } = row;
  if (row.deleted_at !== null) throw stateConflict(`Run ${row.id} is deleted; restore it first.`);
  if (row.source !== "recipe" || recipe === null) throw forkNotPossible(row.id, "outside");
  // A program of one's own has no rate of ours to set and no state of ours to load.
  if (!("learning_rate" in (recipes[recipe].config as unknown as { shape: object }).shape))
    throw forkNotPossible(row.id, "program");
  return { ...row, recipe };
}

function isCheckpoint(file: RunFileRow): boolean {
  return file.kind === "checkpoint" && file.removed_at === null && file.step !== null;
}

/** Throws `no-checkpoint`, `checkpoint-not-found`. */
function chosen(
  runId: number,
  checkpoints: readonly RunFileRow[],
  wanted: Wish["checkpoint"],
): RunFileRow {
  if (checkpoints.length === 0) throw noCheckpoint();
  const rising = checkpoints.toSorted(
    (a, b) => (a.step ?? 0) - (b.step ?? 0) || a.created_at - b.created_at,
  );
  const found =
    wanted === "last"
      ? rising.at(-1)
      : wanted === "best"
        ? rising.findLast(({ label }) => label === "best")
        : rising.findLast(({ step }) => step === wanted);
  if (found !== undefined) return found;
  const steps = rising.map(({ step }) => step ?? 0);
  throw checkpointNotFound(runId, wanted, steps);
}

/** What was in force when the checkpoint was written; fields that came later have their defaults. */
function baseConfig(row: TrainedRow, saved: Config): Config {
  const asked = JSON.parse(row.config) as Config;
  const known = Object.fromEntries(Object.entries(saved).filter(([key]) => key in asked));
  return asJson(parseConfig(row.recipe, { ...asked, ...known }));
}

function forkSpec(
  row: TrainedRow,
  plan: ForkPlan,
  changes: ForkPlan["changes"],
  classes: string[],
): ForkSpec {
  const changed = Object.fromEntries(
    changes.map(({ key, from, to }) => [key, { before: from, after: to }]),
  );
  return { parent_id: row.id, step: plan.checkpoint.step, keep: plan.keep, changed, classes };
}

function classesOf(row: RunRow): string[] {
  const facts = row.facts === null ? null : (JSON.parse(row.facts) as RunFacts);
  return facts?.data?.classes ?? [];
}

function clientId(given: string, index: number): string {
  return `${given}#${index + 1}`;
}

function nameOf(name: string, seed: number, plan: ForkPlan): string {
  return plan.seeds.length === 1 ? name : `${name} seed ${seed}`;
}

/** A fork of a fork does not grow its name. */
function familyName(name: string): string {
  return name.replace(/-fork-\d+$/, "").slice(0, 170);
}

function mebibytes(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / MIB)).toLocaleString("en")} MiB`;
}
