// Where a run's training began: from scratch, with a model's weights, or in another run's checkpoint; and that in words.
import { z } from "zod";
import type { ForkKept } from "./job-spec.ts";
import { RunFork } from "./runs.ts";
import { ModelSource } from "./sources.ts";
import type { WordsLanguage } from "./words-language.ts";

/** A value of the config that was another one in the steps before. */
export const LaterValue = z.object({
  /** The config's own name. */
  key: z.string(),
  to: z.json(),
  /** The first step that was trained with it. */
  from_step: z.number().int(),
});
export type LaterValue = z.infer<typeof LaterValue>;

export const RunOrigin = z.object({
  /** The run's own fork, then its parent's, … as far as they are still there; empty where it forks nothing. */
  forks: z.array(RunFork),
  /** What its line was trained with from later steps only, up to the run's own beginning; by step. */
  values: z.array(LaterValue),
  /** The model whose weights it began with; null where it forks, or began from scratch. */
  model: ModelSource.nullable(),
});
export type RunOrigin = z.infer<typeof RunOrigin>;

/**
 * Null where nobody knows: a script of one's own does not tell.
 * @example originWords(origin, "en") // "run 14 @ step 420, keeps weights, optimizer; learning_rate 0.0001 from step 421"
 */
export function originWords(origin: RunOrigin | null, language: WordsLanguage): string | null {
  if (origin === null) return null;
  const say = (english: string, chinese: string) => (language === "zh" ? chinese : english);
  const [own, ...earlier] = origin.forks;
  if (own === undefined) return modelWords(origin.model, say);
  const kept = keptWords(own.keep, language);
  const step = count(own.step);
  return [
    say(
      `run ${own.parent_id} @ step ${step}, keeps ${kept}`,
      `训练 ${own.parent_id} 第 ${step} 步，保留${kept}`,
    ),
    ...origin.values.map((value) => laterValueWords(value, language)),
    ...earlier.map(({ parent_id, step }, index) => {
      const younger = origin.forks[index]?.parent_id;
      return say(
        `run ${younger} began in run ${parent_id} @ step ${count(step)}`,
        `训练 ${younger} 始于训练 ${parent_id} 第 ${count(step)} 步`,
      );
    }),
  ].join(say("; ", "；"));
}

/** What a fork keeps, the weights first. */
export function keptWords(keep: ForkKept, language: WordsLanguage): string {
  const parts = KEPT.filter(({ part }) => part === null || keep[part]);
  return parts.map((part) => part[language]).join(language === "zh" ? "、" : ", ");
}

/** `learning_rate 0.0001 from step 421` */
export function laterValueWords(
  { key, to, from_step }: Omit<LaterValue, "from_step"> & { from_step: number | null },
  language: WordsLanguage,
): string {
  const value = typeof to === "string" ? to : JSON.stringify(to);
  const step = from_step === null ? "–" : count(from_step);
  return language === "zh"
    ? `${key} 自第 ${step} 步起为 ${value}`
    : `${key} ${value} from step ${step}`;
}

const KEPT = [
  { part: null, en: "weights", zh: "权重" },
  { part: "optimizer", en: "optimizer", zh: "优化器" },
  { part: "scheduler", en: "schedule", zh: "学习率计划" },
  { part: "rng", en: "random state", zh: "随机数状态" },
  { part: "data_position", en: "data position", zh: "数据位置" },
] as const;

function modelWords(
  model: RunOrigin["model"],
  say: (english: string, chinese: string) => string,
): string {
  if (model === null) return say("from scratch", "从头训练");
  if ("model_version" in model)
    return say(`model version ${model.model_version}`, `模型版本 ${model.model_version}`);
  if ("hub" in model) return say(`Hub model ${model.hub}`, `Hub 模型 ${model.hub}`);
  return say(`model ${model.path}`, `模型 ${model.path}`);
}

function count(step: number): string {
  return step.toLocaleString("en-US");
}
