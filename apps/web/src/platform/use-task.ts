// Something that a button starts: busy while it runs, and what broke it.
import { ref, shallowRef } from "vue";

/**
 * @example const saving = useTask(async () => { await api.call(updateMe, { body }); });
 */
export function useTask<Input extends unknown[]>(work: (...input: Input) => Promise<void>) {
  const isBusy = ref(false);
  const isDone = ref(false);
  const failure = shallowRef<unknown>(null);

  async function run(...input: Input): Promise<void> {
    isBusy.value = true;
    isDone.value = false;
    failure.value = null;
    try {
      await work(...input);
      isDone.value = true;
    } catch (error) {
      failure.value = error;
    } finally {
      isBusy.value = false;
    }
  }

  return { isBusy, isDone, failure, run };
}
