// The run's values that may change while it trains: read, kept current, changed, and changes taken back.
import {
  type ControlRequest,
  controlTraining,
  getRunValues,
  type LiveValues,
  type RunValues,
} from "@spotter/contract";
import { computed, onScopeDispose, type Ref, ref, shallowRef, watch } from "vue";
import type { z } from "zod";
import { api } from "../../../platform/api.ts";
import { useRun } from "./use-run.ts";

export interface RunValuesState {
  readonly found: Readonly<Ref<RunValues | null>>;
  /** Why the values could not be read. */
  readonly failure: Readonly<Ref<unknown>>;
  /** Why the last change, or taking back, was turned away. */
  readonly refused: Readonly<Ref<unknown>>;
  readonly isSending: Readonly<Ref<boolean>>;
  load(): Promise<void>;
  /** @returns whether it was taken */
  change(values: LiveValues, reason: string): Promise<boolean>;
  revert(changeId: number): Promise<boolean>;
}

export function useRunValues(): RunValuesState {
  const { runId, run, commands, onReconnected, putCommand } = useRun();
  const found = shallowRef<RunValues | null>(null);
  const failure = shallowRef<unknown>(null);
  const refused = shallowRef<unknown>(null);
  const isSending = ref(false);

  async function load(): Promise<void> {
    const id = runId.value;
    try {
      const values = await api.call(getRunValues, { params: { run_id: id } });
      if (runId.value !== id) return;
      found.value = values;
      failure.value = null;
    } catch (error) {
      if (runId.value === id) failure.value = error;
    }
  }
  async function send(body: z.input<typeof ControlRequest>): Promise<boolean> {
    isSending.value = true;
    refused.value = null;
    try {
      const { command } = await api.call(controlTraining, { body });
      if (command !== null && !commands.value.some(({ id }) => id === command.id))
        putCommand(command);
      await load();
      return true;
    } catch (error) {
      refused.value = error;
      return false;
    } finally {
      isSending.value = false;
    }
  }
  // Only what became of commands matters here, and whether the run still goes.
  const standing = computed(() =>
    JSON.stringify([
      ...commands.value.map(({ id, state }) => [id, state]),
      [runId.value, run.value?.state],
    ]),
  );
  watch(standing, () => void load(), { immediate: true });
  onScopeDispose(onReconnected(() => void load()));
  return {
    ...{ found, failure, refused, isSending, load },
    change: (values, reason) => send({ action: "set", run_id: runId.value, values, reason }),
    revert: (changeId) => send({ action: "revert", run_id: runId.value, change_id: changeId }),
  };
}
