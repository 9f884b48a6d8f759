// Which of a run's values may change while it trains, their bounds, and what is in force after some changes. Pure.
import {
  type ConfigChange,
  fieldIssues,
  LIVE_NAMES,
  type LiveName,
  type LiveValues,
  type RecipeName,
  type RunCommand,
  type RunValue,
  recipes,
} from "@spotter/contract";
import { z } from "zod";

type Config = Record<string, unknown>;

/** Which optimisers have what not all of them have; the worker has the same table. */
const OWNERS: Partial<Record<LiveName, readonly string[]>> = {
  momentum: ["sgd"],
  beta1: ["adam", "adamw"],
  beta2: ["adam", "adamw"],
};

/** One field of a recipe's config as JSON Schema has it, where it is a number. */
interface NumberField {
  readonly type: "number" | "integer";
  readonly nullable: boolean;
  readonly bounds: Record<string, unknown>;
  readonly words: Record<string, string | undefined>;
}

export function changeableNames(recipe: RecipeName, config: Config): LiveName[] {
  const fields = fieldsOf(recipe);
  return LIVE_NAMES.filter((name) => {
    const owners = OWNERS[name];
    if (!(name in fields)) return false;
    // Its drops are counted in steps an epoch, which another batch size would move.
    if (name === "batch_size" && config.schedule === "step") return false;
    return owners === undefined || owners.includes(String(config.optimizer));
  });
}

export function describeValues(recipe: RecipeName, started: Config, now: Config): RunValue[] {
  const fields = fieldsOf(recipe);
  return changeableNames(recipe, now).map((name) => {
    const { type, nullable, bounds, words } = fields[name] as NumberField;
    return {
      name,
      title: words.title ?? name,
      title_zh: words.title_zh ?? name,
      description: words.description ?? "",
      description_zh: words.description_zh ?? "",
      unit: words.unit ?? null,
      kind: type,
      value: numberOf(now[name]),
      started_with: numberOf(started[name]),
      nullable,
      minimum: numberOf(bounds.minimum),
      above: numberOf(bounds.exclusiveMinimum),
      maximum: numberOf(bounds.maximum),
      below: numberOf(bounds.exclusiveMaximum),
    };
  });
}

/** As it was asked for, with today's defaults for fields that were not there yet. */
export function startedConfig(recipe: RecipeName | null, config: string): Config {
  const given = JSON.parse(config) as Config;
  const parsed = recipe === null ? undefined : recipes[recipe].config.safeParse(given);
  return parsed?.success ? parsed.data : given;
}

/**
 * A run's config as it began, whatever people have changed since: a worker that goes on from a checkpoint tells the
 * values that were in force there.
 */
export function configAtStart(told: Config, commands: readonly RunCommand[]): Config {
  const began: Config = {};
  for (const { action, state, change } of commands) {
    if (action !== "set" || state !== "done" || change === null) continue;
    for (const [name, value] of Object.entries(change.before))
      if (!Object.hasOwn(began, name)) began[name] = value;
  }
  return { ...told, ...began };
}

/** Each value that a change in force has made another, in their order, those of one moment by name. */
export function configChanges(commands: readonly RunCommand[]): ConfigChange[] {
  return changesInForce(commands).flatMap(({ change, step, acked_at, ...command }) =>
    Object.entries(change?.after ?? {})
      .map(([key, to]) => ({ key, from: change?.before[key] ?? null, to }))
      .filter(({ from, to }) => from !== to)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map((values) => ({
        ...values,
        // The worker names the step before: the checkpoint lies there.
        from_step: step === null ? null : step + 1,
        at: acked_at ?? command.created_at,
        by_name: command.created_by_name,
        reason: command.reason,
      })),
  );
}

/** The config with the changes that hold, in their order. */
export function configInForce(started: Config, commands: readonly RunCommand[]): Config {
  return Object.assign(
    { ...started },
    ...changesInForce(commands).map(({ change }) => change?.after ?? {}),
  ) as Config;
}

/** What a worker has changed and nobody has taken back, in its order. */
export function changesInForce(commands: readonly RunCommand[]): RunCommand[] {
  const reverted = revertedIds(commands);
  return commands.filter(
    ({ id, action, state }) => action === "set" && state === "done" && !reverted.has(id),
  );
}

/** Taking a change back takes back all that were made after it, up to then. */
export function revertedIds(commands: readonly RunCommand[]): Map<number, RunCommand> {
  const reverted = new Map<number, RunCommand>();
  for (const revert of commands) {
    const { action, state, change_id: first } = revert;
    if (action !== "revert" || state !== "done" || first === null) continue;
    for (const { id, action: kind } of commands)
      if (kind === "set" && id >= first && id < revert.id && !reverted.has(id))
        reverted.set(id, revert);
  }
  return reverted;
}

/** What the config's own schema says against these values; one line a field. */
export function valueIssues(recipe: RecipeName, config: Config, values: LiveValues) {
  const result = recipes[recipe].config.safeParse({ ...config, ...values });
  if (result.success) return [];
  return fieldIssues(result.error, "values", Object.keys(config));
}

function fieldsOf(recipe: RecipeName): Partial<Record<string, NumberField>> {
  const { properties = {} } = z.toJSONSchema(recipes[recipe].config, { io: "input" });
  const fields: Partial<Record<string, NumberField>> = {};
  for (const [name, property] of Object.entries(properties)) {
    const field = property as Record<string, unknown>;
    const options = (field.anyOf as Record<string, unknown>[] | undefined) ?? [field];
    const bounds = options.find(({ type }) => type === "number" || type === "integer");
    if (bounds === undefined) continue;
    fields[name] = {
      type: bounds.type as NumberField["type"],
      nullable: options.some(({ type }) => type === "null"),
      bounds,
      words: field as NumberField["words"],
    };
  }
  return fields;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

interface KeptCheckpoint {
  readonly kind: string;
  readonly path: string;
  readonly step: number | null;
  readonly created_at: number;
  readonly removed_at: number | null;
}

/** The newest checkpoint to go on from: none that a reverted change has led to, even where it still lies on the disk. */
export function newestCheckpoint<Kept extends KeptCheckpoint>(
  files: readonly Kept[],
  commands: readonly RunCommand[],
): Kept | undefined {
  const paths = new Map(files.map((file) => [file.path, file]));
  const changes = new Map(commands.map((command) => [command.id, command]));
  const wentBack = commands
    .filter(({ action, state }) => action === "revert" && state === "done")
    .map(({ change_id, acked_at, created_at }) => ({
      to: paths.get(changes.get(change_id ?? 0)?.change?.checkpoint ?? "")?.step ?? Infinity,
      at: acked_at ?? created_at,
    }));
  return files
    .filter(({ kind, removed_at }) => kind === "checkpoint" && removed_at === null)
    .filter(
      (file) => !wentBack.some(({ to, at }) => (file.step ?? 0) > to && file.created_at <= at),
    )
    .sort((a, b) => (b.step ?? -1) - (a.step ?? -1) || b.created_at - a.created_at)[0];
}
