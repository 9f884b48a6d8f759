// Whether a rule watches a run. Pure.
import type { AlertScope } from "@spotter/contract";

export interface ScopedRun {
  readonly id: number;
  readonly name: string;
  readonly tags: readonly string[];
}

export function covers({ run_id, name_contains, tag }: AlertScope, run: ScopedRun): boolean {
  if (run_id !== null && run_id !== run.id) return false;
  if (name_contains !== null && !run.name.toLowerCase().includes(name_contains.toLowerCase()))
    return false;
  return tag === null || run.tags.includes(tag);
}
