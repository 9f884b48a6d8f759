// Answers of saved weights in words: labels as a table, what a language model wrote as it wrote it.
import type { Prediction } from "@spotter/contract";
import { type Context, printable, printableLines } from "./context.ts";
import { percent } from "./format.ts";
import { table } from "./table.ts";

/** Of what was asked, as much as a line holds. */
const MAX_ASKED = 60;

type Words = Pick<Context, "style" | "text">;

export function predictionText(predictions: readonly Prediction[], context: Words): string {
  const texts = predictions.filter(({ text }) => text !== null);
  const labels = predictions.filter(({ text }) => text === null);
  const parts = texts.map((prediction) => written(prediction, context));
  if (labels.length > 0) parts.push(labelTable(labels, context));
  return parts.join("\n\n");
}

/** Lines are part of what was written, so it stands below its question and not in a table. */
function written({ input, name, asked, text }: Prediction, context: Words): string {
  const t = context.text.bind(context);
  // A text of one's own is called by its beginning: it is told once, as a whole.
  const isOwn = asked?.startsWith(input) ?? false;
  const called = isOwn ? asked : [input, name, asked].filter((part) => part !== null).join("\n");
  const lines = [context.style("bold", t("input:", "输入：")), printableLines(called ?? input)];
  lines.push(context.style("bold", t("text:", "文本：")), printableLines(text ?? ""));
  return lines.join("\n");
}

function labelTable(predictions: readonly Prediction[], context: Words): string {
  const t = context.text.bind(context);
  const head = [
    t("input", "输入"),
    t("label", "类别"),
    t("confidence", "置信度"),
    t("next", "其次"),
    t("truth", "真值"),
  ];
  const rows = predictions.map((prediction) => {
    const { truth, label } = prediction;
    const second = prediction.top.find((other) => other.label !== label);
    const mark = truth === null ? "" : `${truth === label ? "✓" : "✗"} ${printable(truth)}`;
    return [
      printable(calledBy(prediction)),
      printable(label ?? ""),
      prediction.confidence === null ? "" : percent(prediction.confidence),
      second === undefined ? "" : `${printable(second.label)} ${percent(second.confidence)}`,
      truth === label ? context.style("green", mark) : context.style("red", mark),
    ];
  });
  return table(head, rows, [2]);
}

/** The input, what it is called in the data, and what was asked, in one line. */
function calledBy({ input, name, asked }: Prediction): string {
  const question = asked?.replace(/\s+/g, " ").trim() ?? "";
  const shown = question.length > MAX_ASKED ? `${question.slice(0, MAX_ASKED)}…` : question;
  const isAllOfIt = asked?.startsWith(input) ?? false;
  return [input, name ?? "", isAllOfIt ? "" : shown].filter((part) => part !== "").join("  ");
}
