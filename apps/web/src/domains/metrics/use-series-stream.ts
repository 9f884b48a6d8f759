// Feeds the store from the live stream: once a frame, without a gap after the stream opens, breaks or sleeps.
import type { MetricAppended } from "@spotter/contract";
import { onScopeDispose, type Ref, watch } from "vue";
import { useLive } from "../../platform/live/use-live.ts";
import type { ChartRun } from "./chart-run.ts";
import type { FrameLoop } from "./frame-loop.ts";
import type { SeriesStore } from "./series-store.ts";

type NamesListener = (names: readonly string[]) => void;

export function useSeriesStream(
  runs: Ref<readonly ChartRun[]>,
  store: SeriesStore,
  frames: FrameLoop,
): { onNames(listener: NamesListener): () => void } {
  const listeners = new Set<NamesListener>();
  let waiting: MetricAppended[] = [];

  function drain(): void {
    const events = waiting;
    waiting = [];
    store.apply(events);
    const names = new Set(events.flatMap((event) => Object.keys(event.series)));
    for (const listener of listeners) listener([...names]);
  }

  const request = () => ({
    runIds: runs.value.map((run) => run.id),
    topics: ["metrics", "runs"] as const,
  });
  const lastSteps = new Map<number, number>();
  const subscription = useLive().watch(request(), {
    onEvent: (event) => {
      // A run that is at an earlier step than before went back: points beyond were cut off, and no batch tells it.
      if (event.type === "run-changed") {
        const { id, last_step: step } = event.run;
        if (step !== null && step < (lastSteps.get(id) ?? step)) store.refetch(id);
        if (step !== null) lastSteps.set(id, step);
        return;
      }
      // A hidden tab paints nothing and keeps nothing: it reads again when it is looked at.
      if (event.type !== "metric-appended" || document.hidden) return;
      waiting.push(event);
      frames.soon(drain);
    },
    onOpened: (positions) => store.ensureUpTo(positions),
    onGap: () => store.refetch(),
  });
  watch(
    () => runs.value.map((run) => run.id).join(),
    () => subscription.update(request()),
  );

  let wasHidden = document.hidden;
  const onVisibility = () => {
    if (!document.hidden && wasHidden) store.refetch();
    wasHidden = document.hidden;
  };
  document.addEventListener("visibilitychange", onVisibility);
  onScopeDispose(() => {
    document.removeEventListener("visibilitychange", onVisibility);
    subscription.close();
  });
  return {
    onNames: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
