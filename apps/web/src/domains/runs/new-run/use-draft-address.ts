// Keeps the draft of a new training in the address, so that reload and Back find it again.
import { onScopeDispose, watch } from "vue";
import { useRouter } from "vue-router";
import { type Draft, draftAddress } from "./prepare-draft.ts";

/** Typing must not write an address for every letter. */
const DRAFT_MS = 300;

/** @returns `leave`, the way to another page: an address that the draft wrote meanwhile would call it off. */
export function useDraftAddress(draft: () => Draft) {
  const router = useRouter();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isLeaving = false;

  watch(
    () => JSON.stringify(draftAddress(draft())),
    () => {
      clearTimeout(timer);
      if (isLeaving) return;
      timer = setTimeout(() => void router.replace({ query: draftAddress(draft()) }), DRAFT_MS);
    },
  );
  onScopeDispose(() => clearTimeout(timer));

  async function leave(path: string): Promise<void> {
    isLeaving = true;
    clearTimeout(timer);
    try {
      await router.push(path);
    } finally {
      isLeaving = false;
    }
  }

  return { leave };
}
