// What a config asks for that does not go together, told before anything is queued. Each issue names the field to change.
import type { ErrorIssue } from "../errors.ts";

/** @param config parsed: every field has its value */
export function contradictionsOf(config: Readonly<Record<string, unknown>>): ErrorIssue[] {
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

function without(what: string, instead: string): string {
  return `fsdp2 does not go with ${what}; take ${instead}.`;
}
