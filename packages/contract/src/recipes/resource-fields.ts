// The shared config fields of what a training runs on.
import { z } from "zod";
import { field } from "./field.ts";

const seed = () =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0);

export function resourceFields() {
  return {
    seed: field(
      seed(),
      "resources",
      "Seed",
      "随机种子",
      "Fixes initial weights, order of the data and every random change to it.",
      "固定初始权重、数据顺序与随机变换。",
    ),
    device: field(
      z.enum(["auto", "cpu", "cuda", "mps"]).default("auto"),
      "resources",
      "Device",
      "设备",
      "auto takes a GPU where there is one.",
      "auto：有 GPU 时使用 GPU。",
    ),
    compile: field(
      z.boolean().default(false),
      "resources",
      "Compile",
      "编译",
      "Compiles the model with torch.compile: slow to start, then faster for large models. Needs a C++ compiler.",
      "用 torch.compile 编译模型：启动较慢，大模型随后更快。需要 C++ 编译器。",
      { advanced: true },
    ),
    deterministic: field(
      z.boolean().default(false),
      "resources",
      "Deterministic",
      "确定性模式",
      "Only algorithms that give the same bits each time; slower on GPUs. On the CPU results repeat anyway.",
      "只用每次结果完全一致的算法；GPU 上会变慢。CPU 上本就可复现。",
      { advanced: true },
    ),
    processes: field(
      z.number().int().min(1).max(64).default(1),
      "resources",
      "Processes",
      "进程数",
      "Processes that train one model together on this machine, one a GPU; each takes its own batch.",
      "在本机共同训练一个模型的进程数，每个 GPU 一个；各自取一批数据。",
      { advanced: true },
    ),
    ...parallelFields(),
  };
}

function parallelFields() {
  return {
    strategy: field(
      z.enum(["ddp", "fsdp2"]).default("ddp"),
      "resources",
      "Several processes by",
      "多进程方式",
      "ddp: every process holds the whole model. fsdp2: each holds a piece of every tensor, for models too large for one GPU; not with adafactor, fp16, LoRA or ewc_lambda.",
      "ddp：每个进程持有完整模型。fsdp2：每个进程只持有各张量的一部分，适合单个 GPU 放不下的模型；不能与 adafactor、fp16、LoRA 或 ewc_lambda 同用。",
      { advanced: true },
    ),
    peer_timeout_minutes: field(
      z.number().min(0.1).max(10_080).default(30),
      "resources",
      "Wait for processes",
      "等待进程",
      "Minutes that processes wait for one that answers no more before the run fails. Longer than the first one takes to save and test alone.",
      "某个进程不再响应时，其余进程在训练失败前等待的分钟数。须长于第一个进程单独保存和测试所需的时间。",
      { advanced: true },
    ),
  };
}

export function loaderFields() {
  return {
    data_workers: field(
      z.number().int().min(0).max(64).default(0),
      "resources",
      "Loader threads",
      "数据加载线程",
      "Threads that prepare data beside the training, one batch ahead; 0 prepares a batch when it is needed and suits small data.",
      "与训练并行、提前一批准备数据的线程数；0 表示需要时才准备，适合小数据。",
      { advanced: true },
    ),
  };
}
