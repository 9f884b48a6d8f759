// Which metrics a table of versions shows: what was tested first, a few at most.
import type { ModelVersion } from "@spotter/contract";

const MAX_COLUMNS = 4;
const ORDER = ["test/", "val/", ""];

export function metricColumns(versions: readonly Pick<ModelVersion, "metrics">[]): string[] {
  const names = [...new Set(versions.flatMap(({ metrics }) => Object.keys(metrics)))];
  const rank = (name: string) => ORDER.findIndex((prefix) => name.startsWith(prefix));
  return names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)).slice(0, MAX_COLUMNS);
}
