// compare: runs side by side: values, groups of seeds with a verdict, and where their configs differ.
import {
  type ComparisonView,
  fetchComparison,
  fetchComparisonFile,
  fetchSavedComparison,
  type HttpClient,
  saveComparison,
} from "@spotter/client";
import {
  apartWords,
  beganAlike,
  type ComparisonReport,
  groupLabel,
  originWords,
  verdictWords,
} from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { number, stateWord } from "../format.ts";
import { runIdOf } from "../lookup.ts";
import { table } from "../table.ts";

interface CompareOptions {
  metric?: string;
  value?: string;
  base?: string;
  format?: string;
  save?: string;
  saved?: string;
}

const MAX_LABEL = 80;
const FORMATS = ["table", "json", "csv", "markdown"] as const;

export function addCompareCommand(program: Command, bind: Bind, t: Context["text"]): void {
  program
    .command("compare [runs...]")
    .description(
      t(
        "runs side by side: values, groups of seeds with a verdict, config differences",
        "并排对比训练：数值、按种子分组的结论、配置差异",
      ),
    )
    .option("--metric <name>", t("what the verdict is about", "据以下结论的指标"))
    .option("--value <which>", t("last | best values; default last", "last | best，默认 last"))
    .option("--base <run>", t("the others are measured against its group", "作为基准的训练"))
    .option("--format <format>", "table | json | csv | markdown", "table")
    .option("--save <name>", t("keep it on the server under a name", "以此名称保存到服务器"))
    .option("--saved <id>", t("show a saved comparison", "查看已保存的对比"))
    .addHelpText(
      "after",
      t(
        "\nRuns that began the same way and differ in nothing but the seed are one group. Example: spotter compare 41 42 43 44 --metric val/loss",
        "\n起点相同、仅种子不同的训练归为一组。示例：spotter compare 41 42 43 44 --metric val/loss",
      ),
    )
    .action(bind(compare));
}

async function compare(context: Context, words: string[], options: CompareOptions): Promise<void> {
  const format = formatOf(context, options.format ?? "table");
  const view = viewOf(options);
  const client = context.client();
  const report = await reportOf(client, words, options, view);
  const runIds = report.runs.map(({ id }) => id);
  if (format === "json") context.answer(report);
  else if (format === "table") tell(context, report);
  else {
    const lang = context.language;
    const text = await fetchComparisonFile(client, runIds, { ...view, format, lang });
    context.say(text.replaceAll("\r\n", "\n").trimEnd());
  }
  if (options.save === undefined) return;
  const saved = await saveComparison(client, {
    ...{ name: options.save, run_ids: runIds, metric: report.metric, value: report.value },
    base: view.base === undefined ? null : Number(view.base),
  });
  const address = `${context.serverUrl()}/compare/${saved.id}`;
  context.note(context.text(`Saved: ${address}`, `已保存：${address}`));
}

async function reportOf(
  client: HttpClient,
  words: readonly string[],
  { saved }: CompareOptions,
  view: ComparisonView,
): Promise<ComparisonReport> {
  if (saved !== undefined) {
    if (words.length > 0) throw new UsageProblem("Name either runs or --saved, not both.");
    if (!/^[1-9][0-9]{0,14}$/.test(saved))
      throw new UsageProblem(`"${saved}" is no number of a saved comparison.`);
    return (await fetchSavedComparison(client, Number(saved), view)).report;
  }
  if (words.length < 2) throw new UsageProblem("Comparing takes at least 2 runs.");
  return fetchComparison(client, words.map(runIdOf), view);
}

function viewOf({ metric, value, base }: CompareOptions): ComparisonView {
  if (value !== undefined && value !== "last" && value !== "best")
    throw new UsageProblem(`--value is last or best, not "${value}".`);
  return {
    ...(metric === undefined ? {} : { metric }),
    ...(value === undefined ? {} : { value }),
    ...(base === undefined ? {} : { base: String(runIdOf(base)) }),
  };
}

function formatOf(context: Context, text: string): (typeof FORMATS)[number] {
  if (context.json) return "json";
  const format = FORMATS.find((one) => one === text);
  if (format !== undefined) return format;
  throw new UsageProblem(`--format is ${FORMATS.join(", ")}, not "${text}".`);
}

function tell(context: Context, report: ComparisonReport): void {
  tellMissing(context, report);
  tellVerdicts(context, report);
  tellValues(context, report);
  tellConfig(context, report);
}

function tellMissing(context: Context, { missing_run_ids: ids }: ComparisonReport): void {
  if (ids.length === 0) return;
  const list = ids.join(", ");
  context.note(
    context.text(`Deleted for good, left out: ${list}.`, `已彻底删除，未计入：${list}。`),
  );
}

/** Groups with their means, then one sentence for each group against the base. */
function tellVerdicts(context: Context, report: ComparisonReport): void {
  const { metric, groups, verdicts, base } = report;
  const t = context.text.bind(context);
  if (metric === null) {
    context.say(t("These runs have no metric yet.", "这些训练还没有任何指标。"));
    return;
  }
  const which = report.value === "best" ? t("best", "最佳值") : t("last", "最后值");
  const head = [
    "",
    t("group", "组"),
    t("runs", "训练"),
    "n",
    `${metric} (${which})`,
    t("95 % interval", "95 % 区间"),
  ];
  // As long as the names of live values and a fork's checkpoint take.
  const labelOf = (id: string) =>
    printable(groupLabel(groups, id, context.language)).slice(0, MAX_LABEL);
  const rows = groups.map((group) => [
    group.id === base ? `${group.id}*` : group.id,
    labelOf(group.id),
    group.run_ids.map((id) => `#${id}`).join(" "),
    String(group.n),
    group.mean === null ? "–" : number(group.mean),
    group.interval === null
      ? "–"
      : `[${number(group.interval.low)}, ${number(group.interval.high)}]`,
  ]);
  context.say(table(head, rows, [3, 4, 5]));
  for (const verdict of verdicts) {
    const names = { base: labelOf(verdict.base), other: labelOf(verdict.other), metric };
    const words = verdictWords(verdict, names, context.language, signed);
    context.say(`\n${context.style("bold", words.headline)}`);
    for (const line of [words.method, words.seeds, ...words.cautions])
      if (line !== null) context.say(`  ${line}`);
  }
  if (verdicts.length > 1)
    context.say(
      t(
        `\np values are not corrected for ${verdicts.length} comparisons.`,
        `\np 值未按 ${verdicts.length} 次比较校正。`,
      ),
    );
}

/** Last values, the best in brackets where it is another; a star marks the better one. */
function tellValues(
  context: Context,
  { runs, metrics, num_metrics, apart }: ComparisonReport,
): void {
  if (metrics.length === 0) return;
  const t = context.text.bind(context);
  const head = ["", ...runs.map(({ id }) => `#${id}`)];
  const star = (isBetter: boolean) => (isBetter ? "*" : "");
  const rows = metrics.map(({ name, readings, better }) => [
    printable(name),
    ...runs.map(({ id }) => {
      const reading = readings.find(({ run_id }) => run_id === id);
      if (reading?.last == null) return "–";
      const last = `${number(reading.last.value)}${star(better.last.includes(id))}`;
      if (reading.best === null || reading.best === reading.last.value) return last;
      return `${last} (${number(reading.best)}${star(better.best.includes(id))})`;
    }),
  ]);
  const states = ["", ...runs.map(({ state }) => stateWord(state, context.language))];
  const numbers = head.map((_, index) => index).slice(1);
  context.say(`\n${table(head, [states, ...rows], numbers)}`);
  for (const one of apart) context.say(apartWords(one, context.language));
  context.say(
    t("last (best); * is the better one", "最后值（最佳值）；* 为更好的一个") +
      (num_metrics > metrics.length
        ? t(
            `; ${metrics.length} of ${num_metrics} metrics`,
            `；共 ${num_metrics} 个指标，显示 ${metrics.length} 个`,
          )
        : ""),
  );
}

function tellConfig(context: Context, { runs, config, num_config }: ComparisonReport): void {
  const rows = config
    .filter(({ differs }) => differs)
    .map(({ key, values }) => [
      printable(key),
      ...values.map((value) => printable(value ?? "–").slice(0, 40)),
    ]);
  tellOrigins(context, runs);
  context.say(
    rows.length === 0
      ? context.text("\nThe configs are the same.", "\n配置相同。")
      : `\n${table(["", ...runs.map(({ id }) => `#${id}`)], rows)}`,
  );
  if (num_config > config.length)
    context.say(
      context.text(
        `${config.length} of ${num_config} keys are compared.`,
        `共 ${num_config} 个键，对比 ${config.length} 个。`,
      ),
    );
}

/** A line a run: beside each other they would be cut. Nothing where all began alike. */
function tellOrigins(context: Context, runs: ComparisonReport["runs"]): void {
  if (beganAlike(runs)) return;
  const rows = runs.map(({ id, origin }) => [
    `#${id}`,
    printable(originWords(origin, context.language) ?? "–"),
  ]);
  context.say(`\n${table(["", context.text("began in", "起点")], rows)}`);
}

function signed(value: number): string {
  return `${value > 0 ? "+" : ""}${number(value)}`;
}
