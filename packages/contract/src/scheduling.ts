// What a job asks of the queue: how urgent it is, what it needs of the machine, and where its limits are.
import { z } from "zod";

/** The classes: a job of a higher one always goes first. */
export const PRIORITIES = { low: -1, normal: 0, high: 1, urgent: 2 } as const;
export type PriorityWord = keyof typeof PRIORITIES;

/** -1 low, 0 normal, 1 high, 2 urgent. */
export const Priority = z.number().int().min(-1).max(2);
export type Priority = z.infer<typeof Priority>;

const Gib = z.number().positive().max(1_000_000);

/** What a training wants for itself. What is left out is a fair part: all of a machine without GPUs, else the part of its GPUs. */
export const ResourceWish = z
  .object({
    gpus: z.number().int().min(0).max(64).optional(),
    /** On each of its GPUs; the rest of the GPU is given to others who say so too. Left out: whole GPUs. */
    gpu_memory_gib: Gib.optional(),
    cpu_cores: z.number().int().min(1).max(4096).optional(),
    memory_gib: Gib.optional(),
    /** Room in the data folder that must be free for it. */
    disk_gib: z.number().min(0).max(1_000_000).optional(),
  })
  .strict();
export type ResourceWish = z.infer<typeof ResourceWish>;

export const RunLimits = z
  .object({
    /** Of one attempt: then it is stopped, with a checkpoint. It also tells the queue how long it takes at most. */
    time_s: z.number().int().min(1).max(100_000_000).optional(),
    /** It is ended when its processes together hold more. */
    memory_gib: Gib.optional(),
    /** So often it is tried in all when its process or its machine is lost. Default 1: not again. */
    attempts: z.number().int().min(1).max(20).optional(),
  })
  .strict();
export type RunLimits = z.infer<typeof RunLimits>;

/** What a job holds, or would hold: every number settled. */
export const JobNeeds = z.object({
  gpus: z.number().int(),
  /** Null: whole GPUs. */
  gpu_memory_gib: z.number().nullable(),
  cpu_cores: z.number().int(),
  memory_gib: z.number(),
  disk_gib: z.number(),
});
export type JobNeeds = z.infer<typeof JobNeeds>;
