// How a command and the program meet: a handler takes a context, the program binds it to what was typed.
import type { Context } from "./context.ts";

/** Does a command's work; a number is the exit code, nothing is 0. */
export type Handler<Options> = (
  context: Context,
  args: string[],
  options: Options,
) => Promise<number | undefined> | Promise<void>;

/** Gives a handler its context, and keeps its exit code. */
export type Bind = <Options>(handler: Handler<Options>) => (...args: unknown[]) => Promise<void>;
