// How far an own script or a followed folder is: it tells no progress, so its stored points do.
import { getRun, listMetricNames } from "@spotter/contract";
import { onScopeDispose, type Ref, shallowRef, watch } from "vue";
import { api } from "../../../platform/api.ts";
import { useRun } from "./use-run.ts";

/** Counting is a read of the server's; the charts beside it are live anyway. */
const EVERY_MS = 5_000;
/** Series that are asked for their last step: they nearly always go together. */
const FEW = "20";

export interface ScriptProgress {
  step: number | null;
  points: number;
}

/** Null for a run that tells its progress itself. */
export function useScriptProgress(): Readonly<Ref<ScriptProgress | null>> {
  const { run, runId, isActive } = useRun();
  const found = shallowRef<ScriptProgress | null>(null);

  async function read(): Promise<void> {
    const id = runId.value;
    if (run.value === null || run.value.source === "recipe" || run.value.progress !== null) {
      found.value = null;
      return;
    }
    const params = { run_id: id };
    try {
      const [{ num_points }, { nodes }] = await Promise.all([
        api.call(getRun, { params }),
        api.call(listMetricNames, { params, query: { flat: "true", limit: FEW } }),
      ]);
      if (runId.value !== id) return;
      const steps = nodes.flatMap((node) => (node.last_step === null ? [] : [node.last_step]));
      found.value = { step: steps.length === 0 ? null : Math.max(...steps), points: num_points };
    } catch (error) {
      // The page says elsewhere that the server is away; the last count stays.
      console.info("The script's progress could not be read:", error);
    }
  }
  watch([runId, () => run.value?.state], () => void read(), { immediate: true });
  const timer = setInterval(() => {
    if (isActive.value && !document.hidden) void read();
  }, EVERY_MS);
  onScopeDispose(() => clearInterval(timer));
  return found;
}
