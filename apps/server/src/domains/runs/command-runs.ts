// Programs of one's own run as the server's user: who may start them, and what the audit log keeps of them.
import type { SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import { commandRunsClosed } from "./errors.ts";
import type { RunRow } from "./tables.ts";

export type CommandRuns = "members" | "admins" | "off";

const MAX_AUDITED_COMMAND = 2000;

/** Throws `command-runs-closed`. */
export function requireMayStart(who: CommandRuns, recipe: string | null, caller: Caller): void {
  const closedBy = closedFor(who, recipe, caller);
  if (closedBy !== null) throw closedBy;
}

/** The failure that starting a recipe would have for this caller; null where they may, as far as the server's rule goes. */
export function closedFor(
  who: CommandRuns,
  recipe: string | null,
  caller: Pick<Caller, "isAdmin">,
): SpotterError | null {
  const mayAll = who === "members" || (who === "admins" && caller.isAdmin);
  return recipe === "command" && !mayAll ? commandRunsClosed() : null;
}

/** What was run is told even after the run is gone. */
export function commandOf({ recipe, config }: RunRow): { command?: string } {
  if (recipe !== "command") return {};
  const { command } = JSON.parse(config) as { command: string[] };
  return { command: command.join(" ").slice(0, MAX_AUDITED_COMMAND) };
}
