// What cannot be taken back is asked for twice at the same button: the first click asks, the second one does it.
import { ref } from "vue";

export function useSecondClick() {
  /** What the second click is waited for. */
  const asked = ref<string | null>(null);

  /** @returns whether this was the second click for it */
  function isSecond(key: string): boolean {
    const wasAsked = asked.value === key;
    asked.value = wasAsked ? null : key;
    return wasAsked;
  }
  return { asked, isSecond };
}
