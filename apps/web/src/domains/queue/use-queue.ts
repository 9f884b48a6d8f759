// The queue as it stands, renewed by the live stream; and the two things that people do to it.
import { fetchQueue, orderForMove, reorder, setPriority } from "@spotter/client";
import type { QueueView } from "@spotter/contract";
import { onScopeDispose, ref, shallowRef } from "vue";
import { api } from "../../platform/api.ts";
import { useLive } from "../../platform/live/use-live.ts";
import { HeldView } from "./held-view.ts";

/** Progress comes many times a second; forecasts of minutes need no more than this. */
const LEAST_INTERVAL_MS = 1_500;
/** Times go on though nothing happens. */
const LONGEST_INTERVAL_MS = 15_000;

export function useQueue() {
  const queue = shallowRef<QueueView | null>(null);
  const failure = shallowRef<unknown>(null);
  /** What the server refused last: told beside the row. */
  const refusal = shallowRef<{ jobId: number; failure: unknown } | null>(null);
  const busyJob = ref<number | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  const held = new HeldView<QueueView>((view) => {
    queue.value = view;
  });

  async function load(): Promise<void> {
    asked += 1;
    const own = asked;
    try {
      const view = await fetchQueue(api);
      // An answer that an order of ours overtook shows the queue of before it.
      if (own === asked) held.come(view);
      failure.value = null;
    } catch (error) {
      failure.value = error;
    }
  }

  function soon(): void {
    if (timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      void load();
    }, LEAST_INTERVAL_MS);
  }

  async function change(jobId: number, work: () => Promise<QueueView>): Promise<boolean> {
    busyJob.value = jobId;
    refusal.value = null;
    try {
      replace(await work());
      return true;
    } catch (error) {
      refusal.value = { jobId, failure: error };
      return false;
    } finally {
      busyJob.value = null;
    }
  }

  /** @param before in front of this one; null: behind all that it may pass */
  function move(jobId: number, before: number | null): Promise<boolean> {
    return change(jobId, async () => {
      const view = queue.value ?? (await fetchQueue(api));
      return reorder(api, orderForMove(view, jobId, before));
    });
  }

  function prioritise(jobId: number, priority: number): Promise<boolean> {
    return change(jobId, async () => {
      await setPriority(api, jobId, priority);
      return fetchQueue(api);
    });
  }

  function replace(view: QueueView): void {
    asked += 1;
    held.replace(view);
  }

  const subscription = useLive().watch(
    { runIds: [], topics: ["runs"] },
    { onEvent: soon, onReconnected: () => void load(), onGap: () => void load() },
  );
  const interval = setInterval(() => {
    if (!document.hidden) soon();
  }, LONGEST_INTERVAL_MS);
  onScopeDispose(() => {
    subscription.close();
    clearInterval(interval);
    clearTimeout(timer);
  });
  void load();
  const hold = () => held.hold();
  return { queue, failure, refusal, busyJob, load, move, prioritise, replace, hold };
}
