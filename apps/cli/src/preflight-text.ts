// A pre-flight's report as lines for people, in their language. Pure.
import {
  findingInChinese,
  type MemoryPartName,
  type PreflightCheck,
  type PreflightReport,
  type PreflightSample,
  type Severity,
} from "@spotter/contract";
import { bytes, number } from "./format.ts";
import type { Language } from "./settings.ts";
import { facts } from "./table.ts";

export type Paint = (style: "green" | "yellow" | "red" | "dim" | "bold", text: string) => string;

const SIGNS: Readonly<Record<Severity, readonly [string, "green" | "yellow" | "red"]>> = {
  ok: ["✓", "green"],
  warning: ["▲", "yellow"],
  problem: ["⬣", "red"],
};

type Words = Readonly<Record<Language, string>>;

const CHECKS: Readonly<Record<PreflightCheck, Words>> = {
  build: { en: "reading the data, building the model", zh: "读取数据、构建模型" },
  samples: { en: "looking at samples", zh: "查看样本" },
  data: { en: "counting classes and copies", zh: "统计类别与重复" },
  "initial-loss": { en: "first loss", zh: "初始损失" },
  memory: { en: "memory", zh: "内存" },
  time: { en: "time a step", zh: "每步用时" },
  "learning-rate": { en: "learning-rate test", zh: "学习率测试" },
  overfit: { en: "learning one batch by heart", zh: "单批过拟合测试" },
};

const PARTS: Readonly<Record<MemoryPartName, Words>> = {
  weights: { en: "weights", zh: "权重" },
  gradients: { en: "gradients", zh: "梯度" },
  optimizer: { en: "optimiser", zh: "优化器状态" },
  activations: { en: "activations, workspace", zh: "激活值与工作空间" },
  average: { en: "averaged weights", zh: "平均权重" },
  best: { en: "copy of the best weights", zh: "最佳权重副本" },
  batch: { en: "batch", zh: "批数据" },
  process: { en: "libraries and data", zh: "程序库与数据" },
};

/** What is being done now. */
export function checkWords(check: PreflightCheck, language: Language): string {
  return CHECKS[check][language];
}

export function reportLines(report: PreflightReport, language: Language, paint: Paint): string[] {
  const t = (en: string, zh: string) => (language === "zh" ? zh : en);
  const lines = [paint("bold", verdictLine(report.verdict, language))];
  if (report.model !== null) {
    const parameters = report.model.parameters.toLocaleString("en-US");
    const model = `${report.model.name}, ${parameters} ${t("parameters", "个参数")}`;
    lines.push(paint("dim", `${report.recipe} · ${model} · ${report.device ?? ""}`));
  }
  lines.push("");
  for (const finding of report.findings) {
    const [sign, colour] = SIGNS[finding.severity];
    const field = finding.field === null || finding.severity === "ok" ? "" : `  [${finding.field}]`;
    lines.push(
      `${paint(colour, sign)} ${t(finding.message, findingInChinese(finding.message_zh))}${field}`,
    );
  }
  lines.push(...memoryLines(report, language), ...sampleLines(report.samples, language, paint));
  const suggested = report.learning_rate?.suggested ?? null;
  if (suggested !== null)
    lines.push(
      "",
      `${t("Suggested by the test: ", "测试建议：")}--set learning_rate=${number(suggested)}`,
    );
  return lines;
}

function verdictLine(verdict: Severity, language: Language): string {
  const sentences: Readonly<Record<Severity, Words>> = {
    ok: { en: "Ready to train.", zh: "可以开始训练。" },
    warning: {
      en: "It would train; look at the warnings first.",
      zh: "可以训练，但请先查看警告。",
    },
    problem: { en: "It would not go well: a problem was found.", zh: "存在问题，不建议开始训练。" },
  };
  return sentences[verdict][language];
}

function memoryLines({ memory }: PreflightReport, language: Language): string[] {
  if (memory === null) return [];
  const rows = memory.parts.map(({ name, bytes: size }): [string, string] => [
    `  ${PARTS[name][language]}`,
    bytes(size),
  ]);
  return [
    "",
    language === "zh" ? `内存（${memory.device}）` : `Memory (${memory.device})`,
    facts(rows),
  ];
}

/** Pictures and sounds are for the page; texts can be shown here, what the loss leaves out dimmed. */
function sampleLines(
  samples: readonly PreflightSample[],
  language: Language,
  paint: Paint,
): string[] {
  const texts = samples.filter((sample) => sample.kind === "text").slice(0, 3);
  if (texts.length === 0) return [];
  const head =
    language === "zh" ? "样本（暗色部分不计入损失）" : "Samples (dimmed: not counted in the loss)";
  const lines = texts.map(({ tokens, counted, num_more, label, source }) => {
    const shown = tokens.map((token, place) => {
      const plain = token.replaceAll("\n", "⏎");
      return counted[place] === true ? plain : paint("dim", plain);
    });
    const joined = shown.join(label === null ? "" : " ");
    const more = num_more > 0 ? ` … +${num_more}` : "";
    const place = source ? `${paint("dim", source)}  ` : "";
    return `  ${place}${label === null ? "" : `${label}: `}${joined}${more}`;
  });
  return ["", head, ...lines];
}
