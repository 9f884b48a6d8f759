// The run as the header shows it: its summary, and what the stream has told since, taken in once a frame as the charts do.
import type { MetricAppended, Run } from "@spotter/contract";
import { computed, onScopeDispose, type Ref, shallowRef, watch } from "vue";
import { useLive } from "../../../platform/live/use-live.ts";
import { type Newest, takeBatch, watchedNames, wentBack, withNewest } from "./prepare-newest.ts";
import { useRun } from "./use-run.ts";

export interface NewestRun {
  /** The page's run, no older than its charts. */
  readonly run: Readonly<Ref<Run | null>>;
  /** The newest step that the stream has told of; null before the first. */
  readonly step: Readonly<Ref<number | null>>;
}

export function useNewestRun(): NewestRun {
  const { run, runId } = useRun();
  const newest = shallowRef<Newest | null>(null);
  let taken: Newest | null = null;
  let frame: number | null = null;

  function show(): void {
    frame = null;
    newest.value = taken;
  }
  function take(event: MetricAppended): void {
    taken = takeBatch(taken, event, run.value?.best?.metric ?? null);
    // In a hidden tab no frame comes, and what has come meanwhile is shown with the first one.
    frame ??= requestAnimationFrame(show);
  }
  function forget(): void {
    taken = null;
    newest.value = null;
  }
  const names = computed(() => JSON.stringify(watchedNames(run.value)));
  const request = () => ({
    runIds: [runId.value],
    topics: ["metrics"] as const,
    metrics: JSON.parse(names.value) as string[],
  });
  const subscription = useLive().watch(request(), {
    onEvent: (event) => {
      if (event.type === "metric-appended" && event.run_id === runId.value) take(event);
    },
    onGap: forget,
  });
  watch([runId, names], () => subscription.update(request()));
  watch(runId, forget);
  watch(
    run,
    (after, before) => {
      if (after && before && after.id === before.id && wentBack(before, after)) forget();
    },
    { flush: "sync" },
  );
  onScopeDispose(() => {
    if (frame !== null) cancelAnimationFrame(frame);
    subscription.close();
  });
  return {
    run: computed(() => (run.value === null ? null : withNewest(run.value, newest.value))),
    step: computed(() => newest.value?.step ?? null),
  };
}
