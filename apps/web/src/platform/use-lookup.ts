// What a picker of one among any number finds: the server looks, for what was typed, and what broke the last look.
import { ref, shallowRef } from "vue";
import { useI18n } from "vue-i18n";
import { describeFailure } from "./failure.ts";

/** More than these nobody reads in a list; further words find the rest. */
export const NUM_FOUND = 50;

/**
 * @param look asks the server; `q` is trimmed, and empty for whatever comes first
 * @example const { found, isFinding, refusal, find, opened } = useLookup(async (q) => (await api.call(listRuns, { query: { q } })).runs);
 */
export function useLookup<Item>(look: (q: string) => Promise<Item[]>) {
  const { t, te, locale } = useI18n();
  const found = shallowRef<Item[]>([]);
  const isFinding = ref(false);
  const refusal = ref<string | null>(null);
  let newest = 0;

  async function find(q: string): Promise<void> {
    newest += 1;
    const mine = newest;
    isFinding.value = true;
    try {
      const items = await look(q.trim().slice(0, 200));
      // An answer that comes after a later one's question is no answer to it.
      if (mine !== newest) return;
      found.value = items;
      refusal.value = null;
    } catch (error) {
      if (mine === newest) refuse(error);
    } finally {
      if (mine === newest) isFinding.value = false;
    }
  }
  function refuse(error: unknown): void {
    refusal.value = describeFailure(error, { t, te, locale: locale.value }).sentence;
  }
  /** A list that is opened begins with what there is. */
  function opened(isOpen: boolean): void {
    if (isOpen) void find("");
  }
  return { found, isFinding, refusal, find, refuse, opened };
}
