// Which folders of this machine a command line streams at the moment, read off the runs that it opened. Pure.
import path from "node:path";
import { TensorboardOrigin } from "@spotter/contract";

export interface OpenRun {
  readonly id: number;
  /** JSON, as the run was opened. */
  readonly config: string;
  readonly created_at: number;
  readonly last_event_at: number | null;
}

/** A command line that ended leaves its runs open; after so long without a word it is taken for gone. */
const SILENT_AFTER_S = 600;

/** @returns the id of a run that comes from the folder, from one inside it or around it; null when there is none */
export function streamedBy(
  runs: readonly OpenRun[],
  folder: string,
  host: string,
  now: number,
): number | null {
  const found = runs.find((run) => {
    const origin = TensorboardOrigin.safeParse(JSON.parse(run.config));
    if (!origin.success || origin.data.tensorboard.host !== host) return false;
    if (now - (run.last_event_at ?? run.created_at) > SILENT_AFTER_S) return false;
    const source = path.resolve(origin.data.tensorboard.logdir, origin.data.tensorboard.folder);
    return isInside(source, folder) || isInside(folder, source);
  });
  return found?.id ?? null;
}

function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(path.sep) ? outer : outer + path.sep);
}
