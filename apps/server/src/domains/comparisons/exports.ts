// A report as CSV (a row a run) and as Markdown (for an issue or a page of notes). Pure.
import {
  apartWords,
  beganAlike,
  type ComparisonReport,
  groupLabel,
  type MetricReading,
  originWords,
  type RunGroup,
  verdictWords,
  type WordsLanguage,
} from "@spotter/contract";

type Cell = string | number | null | undefined;

/** One row a run: what it is, every metric's last and best value, every key of the configs. */
export function csvOf(report: ComparisonReport): string {
  const { runs, metrics, config } = report;
  const head: Cell[] = ["run", "name", "group", "seed", "state", "recipe"];
  head.push("group name", "began in");
  for (const { name, direction } of metrics)
    head.push(`${name} last`, ...(direction === null ? [] : [`${name} best`]));
  head.push(...config.map(({ key }) => `config ${key}`));
  const rows = runs.map((run, index): Cell[] => [
    ...[run.id, run.name, run.group, run.seed, run.state, run.recipe],
    ...[groupLabel(report.groups, run.group, "en"), originWords(run.origin, "en")],
    ...metrics.flatMap(({ readings, direction }) => {
      const reading = readings.find(({ run_id }) => run_id === run.id);
      return [reading?.last?.value, ...(direction === null ? [] : [reading?.best])];
    }),
    ...config.map(({ values }) => values[index]),
  ]);
  return [head, ...rows].map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
}

const NUMBER = /^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/i;

/**
 * RFC 4180. Text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay numbers.
 * @example csvCell("=1+1") // "'=1+1"
 */
export function csvCell(value: Cell): string {
  if (value === null || value === undefined) return "";
  const text = String(value);
  const isFormula = /^[\s]*[=+\-@\t\r]/.test(text) && !NUMBER.test(text) && text !== "-Infinity";
  const safe = isFormula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function markdownOf(report: ComparisonReport, language: WordsLanguage): string {
  const say = (english: string, chinese: string) => (language === "zh" ? chinese : english);
  const title = say("Comparison of runs", "训练对比");
  const list = report.runs.map(({ id }) => id).join(", ");
  return [
    `# ${title} ${list}`,
    ...verdictPart(report, language, say),
    `## ${say("Values", "数值")}`,
    valuesTable(report, say),
    ...(report.config.some(({ differs }) => differs) || !beganAlike(report.runs)
      ? [`## ${say("Config, where it differs", "配置差异")}`, configTable(report, language, say)]
      : [say("The configs are the same.", "配置相同。")]),
  ]
    .join("\n\n")
    .concat("\n");
}

type Say = (english: string, chinese: string) => string;

function verdictPart(report: ComparisonReport, language: WordsLanguage, say: Say): string[] {
  const { metric, groups, verdicts, value } = report;
  if (metric === null) return [say("These runs have no metric.", "这些训练没有任何指标。")];
  const which = value === "best" ? say("best values", "最佳值") : say("last values", "最后值");
  const rows = groups.map((group) => [
    groupLabel(groups, group.id, language),
    group.run_ids.join(", "),
    String(group.n),
    write(group.mean),
    intervalText(group),
  ]);
  const head = [
    say("Group", "组"),
    say("Runs", "训练"),
    "n",
    say("Mean", "均值"),
    say("95 % interval", "95 % 区间"),
  ];
  const labelOf = (id: string) => groupLabel(groups, id, language);
  const items = verdicts.map((verdict) => {
    const names = { base: labelOf(verdict.base), other: labelOf(verdict.other), metric };
    const words = verdictWords(verdict, names, language, signed);
    const sentences = [words.headline, words.method, words.seeds, ...words.cautions];
    return `- ${escaped(sentences.filter((one) => one !== null).join(say(" ", "")))}`;
  });
  const uncorrected = say(
    "p values are not corrected for the number of comparisons.",
    "p 值未按比较次数校正。",
  );
  return [
    `## ${escaped(metric)} (${which})`,
    tableOf(head, rows),
    ...(items.length === 0 ? [] : [items.join("\n")]),
    ...(items.length > 1 ? [uncorrected] : []),
  ];
}

function valuesTable({ runs, metrics, num_metrics, apart }: ComparisonReport, say: Say): string {
  const head = [say("Metric", "指标"), ...runs.map(({ id, name }) => `${id} ${name}`)];
  const rows = metrics.map(({ name, readings, better }) => [
    name,
    ...runs.map(({ id }) => {
      const reading = readings.find(({ run_id }) => run_id === id);
      return reading === undefined ? "–" : readingText(reading, better, say);
    }),
  ]);
  const notes = apart.map((one) => say(apartWords(one, "en"), apartWords(one, "zh")));
  const table = [tableOf(head, rows, true), ...notes].join("\n\n");
  if (num_metrics <= metrics.length) return table;
  const rest = say(
    `${metrics.length} of ${num_metrics} metrics are shown.`,
    `共 ${num_metrics} 个指标，显示 ${metrics.length} 个。`,
  );
  return `${table}\n\n${rest}`;
}

function readingText(
  { run_id, last, best }: MetricReading,
  better: ComparisonReport["metrics"][number]["better"],
  say: Say,
): string {
  const strong = (text: string, isBetter: boolean) => (isBetter ? `**${text}**` : text);
  const lastText = strong(write(last?.value), better.last.includes(run_id));
  if (best === null) return lastText;
  return `${lastText} (${say("best", "最佳")} ${strong(write(best), better.best.includes(run_id))})`;
}

function configTable(
  { runs, config, num_config }: ComparisonReport,
  language: WordsLanguage,
  say: Say,
): string {
  const head = [say("Key", "键"), ...runs.map(({ id }) => String(id))];
  const origins = [
    say("began in", "起点"),
    ...runs.map(({ origin }) => originWords(origin, language) ?? "–"),
  ];
  const differing = config
    .filter(({ differs }) => differs)
    .map(({ key, values }) => [key, ...values.map((value) => value ?? "–")]);
  const rows = [...(beganAlike(runs) ? [] : [origins]), ...differing];
  const table = tableOf(head, rows);
  if (num_config <= config.length) return table;
  const rest = say(
    `Made from ${config.length} of ${num_config} keys.`,
    `共 ${num_config} 个键，取 ${config.length} 个。`,
  );
  return `${table}\n\n${rest}`;
}

function tableOf(head: readonly string[], rows: readonly string[][], isMarked = false): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => (isMarked && index > 0 ? oneLine(cell) : escaped(cell))).join(" | ")} |`;
  const first = `| ${head.map(escaped).join(" | ")} |`;
  return [first, `|${head.map(() => " --- |").join("")}`, ...rows.map(line)].join("\n");
}

/** Names come from people: nothing of them may become a table's border, a heading, a link or HTML. */
function escaped(text: string): string {
  return oneLine(text).replace(/([\\`*_[\]<>|#])/g, "\\$1");
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

function intervalText({ interval }: RunGroup): string {
  return interval === null ? "–" : `[${write(interval.low)}, ${write(interval.high)}]`;
}

function write(value: number | string | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return typeof value === "string" ? value : String(Number(value.toPrecision(5)));
}

function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${write(value)}`;
}
