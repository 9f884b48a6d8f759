// One log line as text for the terminal.
import type { LogLine } from "@spotter/contract";
import { type Context, printable } from "./context.ts";
import { clockTime } from "./format.ts";

export function logText(context: Context, line: LogLine): string {
  const text = `${clockTime(line.time)}  ${printable(line.text)}`;
  if (line.level === "error") return context.style("red", text);
  if (line.level === "warning") return context.style("yellow", text);
  return line.level === "debug" ? context.style("dim", text) : text;
}
