// What a fork would be, and a run's family, as lines of text. Pure.
import type { ForkPlan, Lineage, LineageNode } from "@spotter/contract";
import { printable } from "./context.ts";
import { number, percent, stateWord } from "./format.ts";
import type { Language } from "./settings.ts";

const PARTS = ["optimizer", "scheduler", "rng", "data_position"] as const;

export function planText(plan: ForkPlan, language: Language): string {
  const t = (english: string, chinese: string) => (language === "zh" ? chinese : english);
  const { step } = plan.checkpoint;
  const kept = ["weights", ...PARTS.filter((part) => plan.keep[part])].join(", ");
  const anew = PARTS.filter((part) => !plan.keep[part]).join(", ");
  const end = plan.total_steps === null ? "?" : String(plan.total_steps);
  const rate = plan.learning_rate;
  return [
    t(
      `From the checkpoint of step ${step} of run ${plan.run_id}; steps ${step + 1} to ${end}.`,
      `从训练 ${plan.run_id} 第 ${step} 步的检查点开始；第 ${step + 1} 步至 ${end}。`,
    ),
    ...plan.changes.map(({ key, from, to }) => `  ${key}: ${written(from)} → ${written(to)}`),
    t(`Kept: ${kept}.`, `保留：${kept}。`) +
      (anew === "" ? "" : t(` Begins anew: ${anew}.`, `重新开始：${anew}。`)),
    ...(rate === null
      ? []
      : [
          t(
            `Learning rate: begins at ${rate.next.toExponential(1)}, peak ${rate.peak.toExponential(1)}.`,
            `学习率：从 ${rate.next.toExponential(1)} 开始，峰值 ${rate.peak.toExponential(1)}。`,
          ),
        ]),
    ...plan.warnings.map(
      ({ severity, message, message_zh: chinese }) =>
        `${severity === "warning" ? "! " : "  "}${t(message, chinese)}`,
    ),
  ].join("\n");
}

export function lineageText(lineage: Lineage, language: Language): string {
  const known = new Set(lineage.runs.map(({ id }) => id));
  const isRoot = ({ fork }: LineageNode) => fork === null || !known.has(fork.parent_id);
  const lines: string[] = [];
  const place = (node: LineageNode, depth: number) => {
    lines.push(nodeLine(node, depth, node.id === lineage.run_id, language));
    for (const child of lineage.runs)
      if (child.fork?.parent_id === node.id) place(child, depth + 1);
  };
  for (const node of lineage.runs) if (isRoot(node)) place(node, 0);
  return lines.join("\n");
}

function nodeLine(node: LineageNode, depth: number, isOwn: boolean, language: Language): string {
  const { fork, best } = node;
  const indent = depth === 0 ? "" : `${"   ".repeat(depth - 1)}└─ `;
  const changes = fork?.changes.map(({ key, to }) => `${key}=${written(to)}`).join(" ") ?? "";
  const value =
    best === null
      ? ""
      : `${best.metric} ${best.metric.endsWith("accuracy") ? percent(best.value) : number(best.value)} @ ${best.step}`;
  return [
    `${indent}#${node.id}${isOwn ? "*" : ""} ${printable(node.name)}`,
    stateWord(node.state, language),
    fork === null ? "" : `@ ${fork.step}`,
    printable(changes),
    value,
  ]
    .filter((part) => part !== "")
    .join("  ");
}

function written(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
