// The clock that ages and durations are written by: Unix seconds, one timer for the whole page.
import { type Ref, readonly, ref } from "vue";

let shared: Ref<number> | null = null;

/** Ticks every second while the page is shown. */
export function useNow(): Readonly<Ref<number>> {
  if (shared === null) {
    const now = ref(Date.now() / 1000);
    setInterval(() => {
      if (!document.hidden) now.value = Date.now() / 1000;
    }, 1000);
    shared = now;
  }
  return readonly(shared);
}
