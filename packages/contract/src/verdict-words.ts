// A verdict in words, in both languages: the page, the command line and the Markdown export say the same.
import type { ComparisonReport, LeftOut, Verdict } from "./comparisons.ts";
import { MAX_SEEDS, seedsFor } from "./statistics.ts";
import type { WordsLanguage } from "./words-language.ts";

export interface VerdictNames {
  readonly base: string;
  readonly other: string;
  readonly metric: string;
}

export interface VerdictWords {
  /** What it comes to, in one sentence. */
  readonly headline: string;
  /** How that was found: the test and the effect; null where there was no test. */
  readonly method: string | null;
  /** What more seeds would tell; null where the verdict stands. */
  readonly seeds: string | null;
  /** What the reader should know beside it: runs left out, runs that go on. */
  readonly cautions: readonly string[];
}

/** Of a part of the data whose examples are not the same for all. */
export function apartWords(
  { part, fields }: ComparisonReport["apart"][number],
  language: WordsLanguage,
): string {
  return language === "zh"
    ? `这些训练在不同的样本上测得（${fields.join("、")}）：${part}/ 指标不能说明孰优孰劣。`
    : `The runs were measured on different examples (${fields.join(", ")}): ${part}/ metrics do not say which is better.`;
}

/** @param writeDifference writes a difference of the metric, with its sign */
export function verdictWords(
  verdict: Verdict,
  names: VerdictNames,
  language: WordsLanguage,
  writeDifference: (difference: number) => string,
): VerdictWords {
  const say = (english: string, chinese: string) => (language === "zh" ? chinese : english);
  return {
    headline: headlineOf(verdict, names, say, writeDifference),
    method: methodOf(verdict, say),
    seeds: seedsOf(verdict, names, say),
    cautions: cautionsOf(verdict, say),
  };
}

type Say = (english: string, chinese: string) => string;

function headlineOf(
  verdict: Verdict,
  { base, other, metric }: VerdictNames,
  say: Say,
  write: (difference: number) => string,
): string {
  const { difference, interval, p } = verdict;
  if (verdict.outcome === "no-verdict")
    return noVerdict(verdict, { base, other, metric }, say, write);
  const found =
    difference === null || interval === null || p === null
      ? ""
      : `${write(difference)} [${write(interval.low)}, ${write(interval.high)}], ${writeP(p)}`;
  const words = {
    better: say(
      `${other} is better than ${base}: ${metric} ${found}`,
      `${other} 优于 ${base}：${metric} ${found}`,
    ),
    worse: say(
      `${other} is worse than ${base}: ${metric} ${found}`,
      `${other} 差于 ${base}：${metric} ${found}`,
    ),
    different: say(
      `${other} differs from ${base}: ${metric} ${found}. The metric's name does not say which end is good`,
      `${other} 与 ${base} 有差异：${metric} ${found}。从指标名称无法判断高低哪一端更好`,
    ),
    "within-noise": say(
      `Within noise: between ${other} and ${base}, ${metric} differs by ${found}`,
      `在噪声范围内：${other} 与 ${base} 的 ${metric} 相差 ${found}`,
    ),
  };
  return `${words[verdict.outcome]}${say(".", "。")}`;
}

function noVerdict(
  { reason, difference, n_base, n_other, apart }: Verdict,
  { base, other, metric }: VerdictNames,
  say: Say,
  write: (difference: number) => string,
): string {
  const by = difference === null ? "" : write(difference);
  if (reason === "apart")
    return say(
      `No verdict: ${other} and ${base} were measured on different examples (${apart.join(", ")}), so ${metric} does not say which is better.`,
      `无法判断：${other} 与 ${base} 在不同的样本上测得（${apart.join("、")}），${metric} 不能说明孰优孰劣。`,
    );
  if (reason === "no-values") {
    const empty = [n_base === 0 ? base : "", n_other === 0 ? other : ""].filter(
      (name) => name !== "",
    );
    return say(
      `No verdict: ${empty.join(" and ")} ${empty.length > 1 ? "have" : "has"} no finite value of ${metric}.`,
      `无法判断：${empty.join("、")} 没有 ${metric} 的有限数值。`,
    );
  }
  if (reason === "identical")
    return say(
      `No verdict: all values of ${metric} are the same. That looks like the same training repeated, not like chance.`,
      `无法判断：${metric} 的所有数值完全相同。这更像是同一次训练的重复，而不是随机的结果。`,
    );
  if (reason === "no-spread")
    return say(
      `No verdict: ${other} and ${base} differ by ${by}, but nothing varies between seeds, and a t test measures by what varies.`,
      `无法判断：${other} 与 ${base} 相差 ${by}，但不同种子之间没有任何波动，而 t 检验正是以波动为尺度。`,
    );
  return say(
    `No verdict: ${other} and ${base} differ by ${by}, and one run cannot tell whether that is chance.`,
    `无法判断：${other} 与 ${base} 相差 ${by}，仅凭一次训练无法知道这是否出于偶然。`,
  );
}

function methodOf({ test, effect, n_base, n_other, df, t }: Verdict, say: Say): string | null {
  if (test === null || effect === null || df === null || t === null) return null;
  const numbers = `t(${short(df)}) = ${short(t)}`;
  return test === "paired"
    ? say(
        `Paired t test over ${n_base} seeds, ${numbers}; effect size d_z = ${short(effect.value)}.`,
        `按种子配对的 t 检验，共 ${n_base} 对，${numbers}；效应量 d_z = ${short(effect.value)}。`,
      )
    : say(
        `Welch's t test of ${n_base} against ${n_other} runs, ${numbers}; effect size Hedges' g = ${short(effect.value)} (Cohen's d = ${short(effect.cohens_d ?? 0)}).`,
        `Welch t 检验，${n_base} 个对 ${n_other} 个训练，${numbers}；效应量 Hedges' g = ${short(effect.value)}（Cohen's d = ${short(effect.cohens_d ?? 0)}）。`,
      );
}

function seedsOf({ seeds }: Verdict, { base, other }: VerdictNames, say: Say): string | null {
  if (seeds === null) return null;
  if (seeds.assumes === "unknown") {
    const [two, one] = [seedsFor("welch", 2), seedsFor("welch", 1)];
    return say(
      `A verdict needs at least 2 seeds a group. ${two} seeds a group usually tell means apart that are two standard deviations from each other, ${one} seeds means that are one.`,
      `至少每组 2 个种子才能下结论。若两组均值相差两个标准差，每组约需 ${two} 个种子；相差一个标准差，约需 ${one} 个。`,
    );
  }
  const isBorrowed = seeds.assumes === "spread-of-one-group";
  const premise = isBorrowed
    ? say(
        "If both groups spread like the one that has several runs, and the true difference is the observed one,",
        "若两组的波动都与有多次训练的那一组相同，且真实差异等于观察到的差异，",
      )
    : say("If the true effect is as large as the observed one,", "若真实效应与观察到的一样大，");
  if (seeds.per_group === null)
    return say(
      `${premise} telling it takes more than ${MAX_SEEDS.toLocaleString("en-US")} seeds a group.`,
      `${premise}每组需要超过 ${MAX_SEEDS.toLocaleString("en-US")} 个种子才能分辨。`,
    );
  return say(
    `${premise} ${seeds.per_group} seeds a group tell it four times out of five: ${seeds.more_base} more for ${base}, ${seeds.more_other} more for ${other}.`,
    `${premise}每组 ${seeds.per_group} 个种子便有八成把握分辨：${base} 还需 ${seeds.more_base} 个，${other} 还需 ${seeds.more_other} 个。`,
  );
}

function cautionsOf({ left_out, unfinished }: Verdict, say: Say): string[] {
  const reasons: Record<LeftOut["reason"], string> = {
    missing: say("has no point of the metric", "没有该指标的数据"),
    "non-finite": say("its value is NaN or infinite", "数值为 NaN 或无穷"),
    repeat: say(
      "the same seed with the same result as another run",
      "与另一个训练种子相同、结果相同",
    ),
    "no-partner": say("no run of the same seed to pair with", "没有相同种子的训练可配对"),
  };
  const left = left_out.map(({ run_id, reason }) =>
    say(`run ${run_id} (${reasons[reason]})`, `训练 ${run_id}（${reasons[reason]}）`),
  );
  return [
    ...(left.length === 0
      ? []
      : [say(`Left out: ${left.join(", ")}.`, `未计入：${left.join("、")}。`)]),
    ...(unfinished.length === 0
      ? []
      : [
          say(
            `Preliminary: ${unfinished.length === 1 ? "run" : "runs"} ${unfinished.join(", ")} ${unfinished.length === 1 ? "has" : "have"} not ended.`,
            `暂时的结论：训练 ${unfinished.join("、")} 尚未结束。`,
          ),
        ]),
  ];
}

/** @example writeP(0.00002) // "p < 0.0001" */
function writeP(p: number): string {
  return p < 0.0001 ? "p < 0.0001" : `p = ${Number(p.toPrecision(2))}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}
