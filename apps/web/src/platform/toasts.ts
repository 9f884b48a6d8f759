// Results that happened out of sight: at most three notes, five seconds each, errors until they are closed.
import { defineStore } from "pinia";
import { ref } from "vue";

export interface Toast {
  id: number;
  kind: "done" | "failed";
  text: string;
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 5_000;
/** What can be undone stays longer: reading takes five seconds, changing one's mind takes more. */
const UNDO_MS = 10_000;

export const useToasts = defineStore("toasts", () => {
  const toasts = ref<Toast[]>([]);
  let lastId = 0;

  function close(id: number): void {
    toasts.value = toasts.value.filter((toast) => toast.id !== id);
  }

  function show(toast: Omit<Toast, "id">): number {
    lastId += 1;
    const id = lastId;
    toasts.value = [...toasts.value, { ...toast, id }].slice(-3);
    if (toast.kind === "done") setTimeout(() => close(id), toast.action ? UNDO_MS : SHOWN_MS);
    return id;
  }

  return { toasts, show, close };
});
