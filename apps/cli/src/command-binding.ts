// How a command and the program meet: a handler takes a context, the program binds it to what was typed.
import type { Command } from "commander";
import type { Context } from "./context.ts";

/** Does a command's work; a number is the exit code, nothing is 0. */
export type Handler<Options> = (
  context: Context,
  args: string[],
  options: Options,
) => Promise<number | undefined> | Promise<void>;

/** Gives a handler its context, and keeps its exit code. */
export type Bind = <Options>(handler: Handler<Options>) => (...args: unknown[]) => Promise<void>;

/**
 * A command's own options. commander gives one that the command above it has too to that one, wherever it stands:
 * `alerts add x --run 7` would be `alerts --run 7` with a rule for all runs.
 */
export function optionsOf(command: Command): Record<string, unknown> {
  const options: Record<string, unknown> = { ...command.opts() };
  for (let above = command.parent; above !== null; above = above.parent)
    for (const option of command.options) {
      const name = option.attributeName();
      const isGiven = command.getOptionValueSource(name) === "cli";
      if (!isGiven && above.getOptionValueSource(name) === "cli")
        options[name] = above.getOptionValue(name);
    }
  return options;
}
