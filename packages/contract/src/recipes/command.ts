// The `command` recipe's config: a program of the user's, where it runs, and what it may use. It has none of the loop's
// fields: the program trains in its own way.
import { z } from "zod";
import { field } from "./field.ts";

// No system takes a NUL byte in an argument or a variable.
const Argument = z
  .string()
  .max(20_000)
  .regex(/^[^\0]*$/, { message: "must not hold a NUL byte" });

/** A program of one's own: its lines become the run's log, and the package `spotter` inside it the run's metrics. */
export const CommandConfig = z
  .object({
    command: field(
      z.array(Argument).min(1).max(1000),
      "data",
      "Command",
      "命令",
      "The program and its arguments, one an entry: python, train.py, --lr, 3e-4. No shell reads it; for pipes and variables start one: bash, -c, and the line.",
      "程序及其参数，每项一个：python、train.py、--lr、3e-4。不经过 shell；如需管道或变量，请写 bash、-c 和整行命令。",
    ),
    working_directory: field(
      z.string().min(1).max(4096).nullable().default(null),
      "data",
      "Working directory",
      "工作目录",
      "Folder on the server that the program starts in; it must lie inside one of the server's data folders (SPOTTER_DATA_ROOTS). Empty: a folder of the run's own.",
      "程序启动时所在的服务器目录，须位于服务器的数据目录（SPOTTER_DATA_ROOTS）之内。留空：使用该训练自己的目录。",
    ),
    environment: field(
      z
        .record(
          z.string().regex(/^(?!SPOTTER_)[A-Za-z_][A-Za-z0-9_]{0,199}$/, {
            message: "must be a variable's name, and not one of ours (SPOTTER_…)",
          }),
          Argument,
        )
        .default({}),
      "data",
      "Environment",
      "环境变量",
      "Variables that the program gets besides those that every program needs (PATH, HOME, locale, CUDA's); of the server's secrets it gets none. They are kept with the run and everybody who sees it can read them: no passwords. Names beginning with SPOTTER_ are ours.",
      "程序在基本变量（PATH、HOME、语言区域、CUDA 等）之外另获得的变量；服务器的机密变量不会传给程序。它们随训练保存，能看到该训练的人都能读到，请勿放密码。以 SPOTTER_ 开头的名称保留。",
    ),
    cpu_cores: field(
      z.number().int().min(1).max(4096).nullable().default(null),
      "resources",
      "Processor cores",
      "处理器核数",
      "Cores that the program may use: on Linux it is held to them, elsewhere its thread counts are set. Empty: all.",
      "程序可用的核数：在 Linux 上强制限制，其他系统仅设置线程数。留空：全部。",
    ),
    memory_mb: field(
      z.number().int().min(16).max(100_000_000).nullable().default(null),
      "resources",
      "Memory limit",
      "内存上限",
      "The program and all that it starts are ended when together they hold more. Empty: no limit.",
      "程序及其启动的所有进程合计占用超过该值时被终止。留空：不限制。",
      { unit: "MB" },
    ),
    time_limit_minutes: field(
      z.number().positive().max(10_000_000).nullable().default(null),
      "resources",
      "Time limit",
      "时间上限",
      "The program is stopped when it has run so long. Empty: no limit.",
      "程序运行达到该时长后被停止。留空：不限制。",
      { unit: "min" },
    ),
  })
  .strict();
export type CommandConfig = z.infer<typeof CommandConfig>;
