// Which rows are chosen, and which one the keyboard is at.
import type { RunSummary } from "@spotter/contract";
import { computed, ref, type ShallowRef } from "vue";

export function useSelection(runs: ShallowRef<RunSummary[]>) {
  const chosen = ref<ReadonlySet<number>>(new Set());
  const at = ref(-1);
  let anchor: number | null = null;
  const current = computed(() => runs.value[at.value] ?? null);
  const chosenRuns = computed(() => runs.value.filter((run) => chosen.value.has(run.id)));

  /** With Shift, everything from the last chosen row to this one. */
  function toggle(runId: number, isRange = false): void {
    const next = new Set(chosen.value);
    const isOn = !next.has(runId);
    const ids = runs.value.map((run) => run.id);
    const [from, to] = [ids.indexOf(anchor ?? runId), ids.indexOf(runId)].sort((a, b) => a - b);
    const range =
      isRange && from !== undefined && from >= 0 ? ids.slice(from, (to ?? from) + 1) : [runId];
    for (const id of range) {
      if (isOn) next.add(id);
      else next.delete(id);
    }
    chosen.value = next;
    anchor = runId;
  }

  function clear(): void {
    chosen.value = new Set();
  }

  function move(by: number): void {
    at.value = Math.max(0, Math.min(runs.value.length - 1, at.value + by));
  }

  return { chosen, chosenRuns, at, current, toggle, clear, move };
}
