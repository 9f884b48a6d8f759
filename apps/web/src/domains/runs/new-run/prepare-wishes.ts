// What a new training asks of the queue, between the form's texts and the request. Pure.
import { type BodyInputOf, type createRun, ResourceWish, RunLimits } from "@spotter/contract";

/** As they are typed; empty: not asked for. */
export const WISH_FIELDS = [
  "gpus",
  "gpuMemory",
  "cores",
  "memory",
  "disk",
  "timeLimit",
  "memoryLimit",
  "attempts",
] as const;
export type WishField = (typeof WISH_FIELDS)[number];
export type Wishes = { priority: number } & Record<WishField, string>;

export const NO_WISHES: Wishes = {
  priority: 0,
  gpus: "",
  gpuMemory: "",
  cores: "",
  memory: "",
  disk: "",
  timeLimit: "",
  memoryLimit: "",
  attempts: "",
};

type WishBody = Pick<BodyInputOf<typeof createRun>, "priority" | "resources" | "limits">;

export function wishBody(wishes: Wishes): WishBody {
  const resources = compact({
    gpus: numberOf(wishes.gpus),
    gpu_memory_gib: numberOf(wishes.gpuMemory),
    cpu_cores: numberOf(wishes.cores),
    memory_gib: numberOf(wishes.memory),
    disk_gib: numberOf(wishes.disk),
  });
  const minutes = numberOf(wishes.timeLimit);
  const limits = compact({
    time_s: minutes === undefined ? undefined : Math.round(minutes * 60),
    memory_gib: numberOf(wishes.memoryLimit),
    attempts: numberOf(wishes.attempts),
  });
  return {
    ...(wishes.priority === 0 ? {} : { priority: wishes.priority }),
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

const FIELD_OF: Readonly<Record<string, WishField>> = {
  "resources.gpus": "gpus",
  "resources.gpu_memory_gib": "gpuMemory",
  "resources.cpu_cores": "cores",
  "resources.memory_gib": "memory",
  "resources.disk_gib": "disk",
  "limits.time_s": "timeLimit",
  "limits.memory_gib": "memoryLimit",
  "limits.attempts": "attempts",
};

/** Fields whose text the contract would refuse. */
export function wrongWishes(wishes: Wishes): Set<WishField> {
  const { resources, limits } = wishBody(wishes);
  const found = new Set<WishField>();
  const check = (
    group: string,
    result: ReturnType<typeof ResourceWish.safeParse> | ReturnType<typeof RunLimits.safeParse>,
  ) => {
    for (const issue of result.error?.issues ?? []) {
      const field = FIELD_OF[[group, ...issue.path].join(".")];
      if (field !== undefined) found.add(field);
    }
  };
  check("resources", ResourceWish.safeParse(resources ?? {}));
  check("limits", RunLimits.safeParse(limits ?? {}));
  return found;
}

/** For the draft in the address: only what differs. */
export function readWishes(text: string): Wishes {
  try {
    const given: unknown = JSON.parse(text || "{}");
    if (typeof given !== "object" || given === null) return { ...NO_WISHES };
    const wishes: Wishes = { ...NO_WISHES };
    for (const field of WISH_FIELDS) {
      const value = (given as Record<string, unknown>)[field];
      if (typeof value === "string") wishes[field] = value.slice(0, 20);
    }
    const { priority } = given as { priority?: unknown };
    if (priority === -1 || priority === 1 || priority === 2) wishes.priority = priority;
    return wishes;
  } catch (error) {
    // A draft that is broken, by hand or by a mailer, is no draft.
    if (error instanceof SyntaxError) return { ...NO_WISHES };
    throw error;
  }
}

export function writeWishes(wishes: Wishes): string {
  const changed = Object.entries(wishes).filter(([, value]) => value !== "" && value !== 0);
  return changed.length === 0 ? "" : JSON.stringify(Object.fromEntries(changed));
}

/** What is no number becomes NaN, which the contract refuses with the field's name. */
function numberOf(text: string): number | undefined {
  return text.trim() === "" ? undefined : Number(text);
}

function compact<T extends Record<string, number | undefined>>(
  values: T,
): { [K in keyof T]?: number } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: number;
  };
}
