// The options by which a training says what it wants of the queue: its class, what it needs, where its limits are.
import {
  type CreateRun,
  PRIORITIES,
  type PriorityWord,
  type ResourceWish,
  type RunLimits,
} from "@spotter/contract";
import type { Command } from "commander";
import type { z } from "zod";
import type { Context } from "./context.ts";
import { UsageProblem } from "./exit-codes.ts";

export interface QueueOptions {
  priority?: string;
  gpus?: string;
  gpuMemory?: string;
  memory?: string;
  disk?: string;
  timeLimit?: string;
  memoryLimit?: string;
  attempts?: string;
}

export function addQueueOptions(command: Command, t: Context["text"]): Command {
  return command
    .option("--priority <class>", t("low, normal, high or urgent", "low、normal、high 或 urgent"))
    .option("--gpus <count>", t("GPUs for itself", "独占的 GPU 数"))
    .option(
      "--gpu-memory <GiB>",
      t("so much of each GPU; the rest may be shared", "每个 GPU 只占这么多显存，其余可共享"),
    )
    .option("--memory <GiB>", t("memory set aside for it", "预留的内存"))
    .option("--disk <GiB>", t("free disk that it needs", "需要的空闲磁盘"))
    .option(
      "--time-limit <time>",
      t("stops an attempt after 90s, 45m, 3h or 2d", "单次尝试的时间上限：90s、45m、3h、2d"),
    )
    .option("--memory-limit <GiB>", t("ends it above this", "内存上限，超过即终止"))
    .option(
      "--attempts <count>",
      t("tries in all when its process or machine is lost", "进程或机器丢失时最多尝试的总次数"),
    );
}

/** @throws UsageProblem */
export function queueWishOf(
  options: QueueOptions,
  cores?: string,
): Pick<z.input<typeof CreateRun>, "priority" | "resources" | "limits"> {
  const resources: ResourceWish = {
    ...numberIn("gpus", "--gpus", options.gpus),
    ...numberIn("gpu_memory_gib", "--gpu-memory", options.gpuMemory),
    ...numberIn("cpu_cores", "--cores", cores),
    ...numberIn("memory_gib", "--memory", options.memory),
    ...numberIn("disk_gib", "--disk", options.disk),
  };
  const limits: RunLimits = {
    ...(options.timeLimit === undefined ? {} : { time_s: secondsOf(options.timeLimit) }),
    ...numberIn("memory_gib", "--memory-limit", options.memoryLimit),
    ...numberIn("attempts", "--attempts", options.attempts),
  };
  return {
    ...(options.priority === undefined ? {} : { priority: priorityOf(options.priority) }),
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

/** @throws UsageProblem */
export function priorityOf(text: string): number {
  const word = text.toLowerCase() as PriorityWord;
  if (word in PRIORITIES) return PRIORITIES[word];
  const number = Object.values(PRIORITIES).find((value) => String(value) === text);
  if (number !== undefined) return number;
  throw new UsageProblem(`A priority is low, normal, high or urgent, not "${text}".`);
}

export function priorityWord(priority: number, t: Context["text"]): string {
  const chinese: Record<PriorityWord, string> = {
    low: "低",
    normal: "普通",
    high: "高",
    urgent: "紧急",
  };
  for (const [word, value] of Object.entries(PRIORITIES))
    if (value === priority) return t(word, chinese[word as PriorityWord]);
  return String(priority);
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function secondsOf(text: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)([smhd])$/.exec(text.trim());
  const unit = UNITS[match?.[2] ?? ""];
  if (match === null || unit === undefined)
    throw new UsageProblem(`--time-limit wants a time such as 90s, 45m, 3h or 2d, not "${text}".`);
  return Math.round(Number(match[1]) * unit);
}

function numberIn(key: string, option: string, text: string | undefined): Record<string, number> {
  if (text === undefined) return {};
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new UsageProblem(`${option} wants a number, not "${text}".`);
  return { [key]: value };
}
