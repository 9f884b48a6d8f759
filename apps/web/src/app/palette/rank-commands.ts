// Orders the palette's commands for what was typed: kinds first, then how well the words fit. Pure.
import type { Command } from "../../platform/commands.ts";

const KINDS = ["action", "object", "setting"] as const;

/** Initials of Chinese titles, so that `xjxl` finds 新建训练; absent until the library is loaded. */
export type Initials = (text: string) => string;

/** @returns the commands that fit, best first, at most `limit`. */
export function rankCommands(
  commands: readonly Command[],
  query: string,
  initials: Initials | null,
  limit = 12,
): Command[] {
  const wanted = query.trim().toLowerCase();
  const scored = commands
    .map((command, position) => ({ command, position, score: fit(command, wanted, initials) }))
    .filter((entry) => entry.score > 0);
  scored.sort(
    (first, second) =>
      KINDS.indexOf(first.command.kind) - KINDS.indexOf(second.command.kind) ||
      second.score - first.score ||
      first.position - second.position,
  );
  return scored.slice(0, limit).map((entry) => entry.command);
}

function fit(command: Command, wanted: string, initials: Initials | null): number {
  if (wanted === "") return 1;
  const title = command.title.toLowerCase();
  if (title.startsWith(wanted)) return 5;
  if (title.split(/[\s/·-]+/).some((word) => word.startsWith(wanted))) return 4;
  if (title.includes(wanted)) return 3;
  if (`${command.keywords ?? ""} ${command.hint ?? ""}`.toLowerCase().includes(wanted)) return 2;
  if (initials !== null && /^[a-z]+$/.test(wanted) && initials(command.title).includes(wanted))
    return 2;
  return 0;
}
