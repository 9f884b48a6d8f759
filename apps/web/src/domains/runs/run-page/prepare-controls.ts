// Which controls a run offers in its state, and what its last commands have come to.
import type { JobState, RunCommand } from "@spotter/contract";

export type ControlName = "pause" | "resume" | "checkpoint" | "stop" | "cancel";

export interface Controls {
  /** Buttons of the bar, in order; the first is the primary one. */
  bar: ControlName[];
  /** Entries of the menu behind them. */
  menu: ("cancel" | "resume-run" | "archive" | "restore" | "delete")[];
}

/** What can be asked of a run in this state; external runs (own scripts, TensorBoard) can only be ended. */
export function controlsFor(
  state: JobState,
  options: { isExternal: boolean; isArchived: boolean },
): Controls {
  const archive = options.isArchived ? "restore" : "archive";
  if (options.isExternal) {
    const isOver = state === "finished" || state === "failed" || state === "stopped";
    return isOver ? { bar: [], menu: [archive, "delete"] } : { bar: ["stop"], menu: [archive] };
  }
  switch (state) {
    case "queued":
      return { bar: ["cancel"], menu: [] };
    case "starting":
      return { bar: ["stop"], menu: ["cancel"] };
    case "running":
      return { bar: ["pause", "checkpoint", "stop"], menu: ["cancel"] };
    case "paused":
      return { bar: ["resume", "checkpoint", "stop"], menu: ["cancel"] };
    case "failed":
    case "stopped":
      return { bar: [], menu: ["resume-run", archive, "delete"] };
    default:
      return { bar: [], menu: [archive, "delete"] };
  }
}

/** Commands that the worker has not answered yet, by action. */
export function pendingCommands(commands: readonly RunCommand[]): ReadonlyMap<string, RunCommand> {
  return new Map(
    commands
      .filter((command) => command.state === "sent")
      .map((command) => [command.action as string, command]),
  );
}

/** The newest command when it was refused or never answered: said beside the button that gave it. */
export function newestRefusal(commands: readonly RunCommand[]): RunCommand | null {
  // Nobody gave a `preempt` or a `stay`: the queue did, and says what came of it.
  const newest = commands.findLast(({ action }) => action !== "preempt" && action !== "stay");
  if (newest === undefined) return null;
  return newest.state === "refused" || newest.state === "expired" ? newest : null;
}
