// Which waiting rows are chosen; what has left the queue meanwhile is chosen no more.
import type { QueueEntry } from "@spotter/contract";
import { computed, ref } from "vue";

export function useQueueSelection(entries: Readonly<{ value: readonly QueueEntry[] }>) {
  const marked = ref<ReadonlySet<number>>(new Set());
  const choosable = computed(() =>
    entries.value.filter(({ may }) => may.cancel).map(({ job_id: id }) => id),
  );
  const chosen = computed(() => choosable.value.filter((id) => marked.value.has(id)));
  const isAll = computed(
    () => choosable.value.length > 0 && chosen.value.length === choosable.value.length,
  );

  function toggle(jobId: number): void {
    const next = new Set(chosen.value);
    if (!next.delete(jobId)) next.add(jobId);
    marked.value = next;
  }
  function toggleAll(): void {
    marked.value = new Set(isAll.value ? [] : choosable.value);
  }
  function clear(): void {
    marked.value = new Set();
  }
  return { chosen, choosable, isAll, toggle, toggleAll, clear };
}
