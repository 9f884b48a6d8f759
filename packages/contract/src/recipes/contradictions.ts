// What a config asks for that does not go together, told before anything is queued. Each issue names the field to change.
import type { ErrorIssue } from "../errors.ts";

/** @param config parsed: every field has its value */
export function contradictionsOf(config: Readonly<Record<string, unknown>>): ErrorIssue[] {
  return [
    ...shardingProblems(config),
    ...shapeProblems(config),
    ...learningProblems(config),
    ...subsetProblems(config),
  ];
}

function shardingProblems(config: Readonly<Record<string, unknown>>): ErrorIssue[] {
  if (config.strategy !== "fsdp2") return [];
  // What pieces of tensors cannot do; the worker refuses the same.
  const problems = [
    config.processes === 1 &&
      "fsdp2 cuts a model over several processes, and there is one; take ddp, or more processes.",
    config.optimizer === "adafactor" && without("optimizer adafactor", "adamw, adam or sgd"),
    config.precision === "fp16" && without("precision fp16", "bf16 or fp32"),
    config.method === "lora" && without("method lora", "ddp, or method full"),
    typeof config.ewc_lambda === "number" && without("ewc_lambda", "ddp"),
  ];
  return problems
    .filter((problem) => typeof problem === "string")
    .map((message) => ({ path: "strategy", message }));
}

/** Of widths and heads, and what a module does not have; the worker refuses the same. */
function shapeProblems(config: Readonly<Record<string, unknown>>): ErrorIssue[] {
  const { width, heads, kv_heads: kvHeads, shape } = config;
  if (typeof heads !== "number" || typeof width !== "number") return [];
  const isDecoder = typeof shape === "string";
  const hasExperts = shape === "deepseek-v3";
  const issues: ErrorIssue[] = [];
  const say = (path: string, message: string) => issues.push({ path, message });
  // Positions turn pairs of a head's numbers; deepseek-v3 turns half of them.
  const step = heads * (hasExperts ? 4 : isDecoder ? 2 : 1);
  const unfit = (value: number) =>
    `is ${value}; with ${heads} heads it must be a multiple of ${step}, such as ${Math.max(step, Math.round(value / step) * step)}`;
  if (width % step !== 0) say("width", unfit(width));
  const widths = Array.isArray(config.mutual_widths) ? config.mutual_widths : [];
  const odd = widths.find((one) => typeof one === "number" && one % step !== 0);
  if (odd !== undefined) say("mutual_widths", unfit(odd));
  if (!isDecoder) return issues;
  if (hasExperts) issues.push(...expertProblems(config));
  else if (typeof kvHeads === "number" && heads % kvHeads !== 0)
    say("kv_heads", `is ${kvHeads}; it must divide heads, ${heads}: ${divisorsOf(heads)}`);
  if ((hasExperts || config.module === "transformers") && Number(config.dropout) > 0)
    say("dropout", `is ${config.dropout}; transformers' modules have none: set it to 0`);
  return issues;
}

function expertProblems(config: Readonly<Record<string, unknown>>): ErrorIssue[] {
  const issues: ErrorIssue[] = [];
  if (typeof config.kv_heads === "number")
    issues.push({
      path: "kv_heads",
      message: "has no meaning for deepseek-v3, whose heads share one latent; leave it empty",
    });
  const bounds = [
    ["experts_per_token", "experts"],
    ["dense_layers", "layers"],
  ] as const;
  for (const [path, bound] of bounds)
    if (Number(config[path]) > Number(config[bound]))
      issues.push({
        path,
        message: `is ${config[path]}; it can be at most ${bound}, ${config[bound]}`,
      });
  return issues;
}

function divisorsOf(number: number): string {
  const divisors = Array.from({ length: number }, (_, index) => index + 1);
  return divisors.filter((one) => number % one === 0).join(", ");
}

/** Of classes that are left out of data. */
function subsetProblems(config: Readonly<Record<string, unknown>>): ErrorIssue[] {
  const { class_subset: subset } = config;
  if (!Array.isArray(subset) || new Set(subset).size !== 1) return [];
  // Beside old classes, or a teacher's, one new class is something to be told apart.
  if (config.old_data || config.distill_from) return [];
  return [
    {
      path: "class_subset",
      message: `names one class alone, ${subset[0]}; sorting needs at least two`,
    },
  ];
}

/** Of going on from models and old data, and of students that learn together; the worker refuses the same. */
function learningProblems(config: Readonly<Record<string, unknown>>): ErrorIssue[] {
  const { mutual_students: students, mutual_widths: widths } = config;
  const issues: ErrorIssue[] = [];
  const say = (path: string, message: string) => issues.push({ path, message });
  if (typeof config.ewc_lambda === "number" && !(config.init_from && config.old_data))
    say(
      "ewc_lambda",
      "holds on to what a model knows of old data: give init_from and old_data too, or leave it empty.",
    );
  for (const field of ["replay_examples", "old_class_subset"]) {
    const given = config[field];
    if (!config.old_data && (Array.isArray(given) ? given.length > 0 : typeof given === "number"))
      say(field, "is about old data, and old_data is empty: name it, or leave this empty.");
  }
  if (typeof students === "number" && config.init_from)
    say(
      "mutual_students",
      "begin with different weights each, so they do not go with init_from; to learn from that model, name it in distill_from.",
    );
  if (Array.isArray(widths) && widths.length > 0 && widths.length !== (students ?? 0))
    say(
      "mutual_widths",
      typeof students === "number"
        ? `has ${widths.length} widths for ${students} students; give one each, or none.`
        : "gives widths to students, and mutual_students is empty; say how many there are.",
    );
  return issues;
}

function without(what: string, instead: string): string {
  return `fsdp2 does not go with ${what}; take ${instead}.`;
}
