// Whether the page is as narrow as a phone; one listener for all who ask.
import { type Ref, readonly, ref } from "vue";

const NARROW = "(max-width: 767px)";
let shared: Ref<boolean> | null = null;

export function useNarrow(): Readonly<Ref<boolean>> {
  if (shared === null) {
    const query = matchMedia(NARROW);
    const narrow = ref(query.matches);
    query.addEventListener("change", (event) => {
      narrow.value = event.matches;
    });
    shared = narrow;
  }
  return readonly(shared);
}
