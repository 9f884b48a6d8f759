// The files of a run as news of them come in: one by one, while a name may go from one to another.
import type { RunFile } from "@spotter/contract";

/** The list with this file's news. The server tells the file that has a name now, and not those that lost it to that. */
export function withFile(files: readonly RunFile[], file: RunFile): RunFile[] {
  const others = files.filter(({ id }) => id !== file.id);
  const gives = file.kind === "checkpoint" && file.removed_at === null;
  const loses = (other: RunFile) =>
    gives &&
    other.kind === "checkpoint" &&
    other.created_at <= file.created_at &&
    (other.label === "last" || (other.label === "best" && file.label === "best"));
  return [...others.map((other) => (loses(other) ? { ...other, label: null } : other)), file];
}
