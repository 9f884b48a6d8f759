// How the commands about models show a version, and read a stage.
import { ModelStage, type ModelVersionDetail } from "@spotter/contract";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { bytes, metric, number } from "../format.ts";
import { facts } from "../table.ts";

const CHINESE_STAGES = { none: "无", staging: "预发布", production: "生产", archived: "已归档" };

export function stageWord(context: Context, stage: ModelStage): string {
  const word = context.text(stage, CHINESE_STAGES[stage]);
  return stage === "production" ? context.style("green", word) : word;
}

export function tell(context: Context, version: ModelVersionDetail): void {
  if (context.json) {
    context.answer(version);
    return;
  }
  const t = context.text.bind(context);
  const { parent, code_revision: code, weights } = version;
  context.say(
    facts([
      [t("model", "模型"), `${printable(version.name)} ${t("version", "版本")} ${version.version}`],
      [t("stage", "阶段"), stageWord(context, version.stage)],
      [t("run", "训练"), `#${version.run_id} ${printable(version.run_name)}`],
      [t("data", "数据"), printable(version.data.name)],
      [t("from", "来自"), parent === null ? "–" : nameOf(parent)],
      [t("code", "代码"), code === null ? "–" : `${code.revision}${code.dirty ? "*" : ""}`],
      [t("weights", "权重"), `${bytes(weights.size)}  ${weights.sha256.slice(0, 12)}`],
      [
        t("latency", "延迟"),
        version.latency_ms === null ? "–" : `${number(version.latency_ms)} ms`,
      ],
      [t("tags", "标签"), printable(version.tags.join(" "))],
      [t("note", "备注"), printable(version.note)],
      [t("went on as", "后续版本"), version.children.map(nameOf).join(", ")],
      ...Object.entries(version.metrics).map(
        ([name, value]) => [printable(name), metric(name, value)] as [string, string],
      ),
    ]),
  );
}

export function stageOf(text: string): ModelStage {
  const stage = ModelStage.safeParse(text);
  if (stage.success) return stage.data;
  throw new UsageProblem(`A stage is ${ModelStage.options.join(", ")}, not "${text}".`);
}

/** As every command takes it. */
export function nameOf({ name, version }: { name: string; version: number }): string {
  return `${printable(name)}@${version}`;
}
