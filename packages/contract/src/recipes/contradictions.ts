// What a config asks for that does not go together, told before anything is queued. Each issue names the field to change.
import type { ErrorIssue } from "../errors.ts";

/** @param config parsed: every field has its value */
export function contradictionsOf(config: Readonly<Record<string, unknown>>): ErrorIssue[] {
  return [...shardingProblems(config), ...learningProblems(config)];
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
