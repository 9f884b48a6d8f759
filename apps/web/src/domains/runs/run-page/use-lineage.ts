// The family of the page's run: read once, its states and values kept current while anybody in it trains.
import { getLineage, type Lineage, type LiveEvent } from "@spotter/contract";
import { onScopeDispose, ref, shallowRef, watch } from "vue";
import { api } from "../../../platform/api.ts";
import { useLive } from "../../../platform/live/use-live.ts";
import { useRun } from "./use-run.ts";

export function useLineage() {
  const { runId } = useRun();
  const lineage = shallowRef<Lineage | null>(null);
  const failure = shallowRef<unknown>(null);
  const isLoaded = ref(false);

  async function load(): Promise<void> {
    const id = runId.value;
    try {
      const found = await api.call(getLineage, { params: { run_id: id } });
      if (runId.value !== id) return;
      lineage.value = found;
      failure.value = null;
      isLoaded.value = true;
      subscription.update(request());
    } catch (error) {
      if (runId.value === id) failure.value = error;
    }
  }
  const request = () => ({
    runIds: lineage.value?.runs.map(({ id }) => id) ?? [runId.value],
    topics: ["runs"] as const,
  });
  function take(event: LiveEvent): void {
    const before = lineage.value;
    if (event.type !== "run-changed" || before === null) return;
    const { id, name, state, best, last_step, deleted_at } = event.run;
    if (!before.runs.some((node) => node.id === id)) return;
    const runs = before.runs.map((node) =>
      node.id === id ? { ...node, name, state, best, last_step, deleted_at } : node,
    );
    lineage.value = { ...before, runs };
  }
  const again = () => void load();
  const subscription = useLive().watch(request(), {
    onEvent: take,
    onGap: again,
    onReconnected: again,
  });
  watch(runId, again, { immediate: true });
  onScopeDispose(() => subscription.close());
  return { lineage, failure, isLoaded, load };
}
