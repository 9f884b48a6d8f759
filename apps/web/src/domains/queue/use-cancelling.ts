// Takes what is chosen out of the queue, and keeps what became of each until it is put away.
import { cancelWaiting } from "@spotter/client";
import type { CancelResult, QueueView } from "@spotter/contract";
import { ref, shallowRef } from "vue";
import { api } from "../../platform/api.ts";

export function useCancelling(show: (queue: QueueView) => void) {
  const results = shallowRef<readonly CancelResult[]>([]);
  const failure = shallowRef<unknown>(null);
  const isBusy = ref(false);

  async function cancel(jobIds: readonly number[]): Promise<void> {
    isBusy.value = true;
    failure.value = null;
    try {
      const answer = await cancelWaiting(api, jobIds);
      show(answer.queue);
      results.value = answer.results;
    } catch (error) {
      failure.value = error;
    } finally {
      isBusy.value = false;
    }
  }
  function close(): void {
    results.value = [];
  }
  return { results, failure, isBusy, cancel, close };
}
