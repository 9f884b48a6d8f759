// How many alerts the person has not read: asked once, then again whenever one fires, in whatever tab it is read.
import { type Alert, listAlerts, markAlertsRead } from "@spotter/contract";
import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";
import { api } from "../../platform/api.ts";

export const useUnread = defineStore("unread-alerts", () => {
  const numUnread = ref(0);
  const readUpTo = ref(0);
  /** Of every project, so that "all" means all. */
  const newest = shallowRef<Alert | null>(null);
  /** The newest, while nobody has read it. */
  const newestUnread = computed(() =>
    newest.value !== null && newest.value.id > readUpTo.value ? newest.value : null,
  );

  async function load(): Promise<void> {
    const page = await api.call(listAlerts, { query: { limit: "1" } });
    numUnread.value = page.num_unread;
    readUpTo.value = page.read_up_to;
    newest.value = page.alerts[0] ?? null;
  }

  async function markAllRead(): Promise<void> {
    if (newest.value !== null) await api.call(markAlertsRead, { body: { up_to: newest.value.id } });
    await load();
  }

  return { numUnread, readUpTo, newestUnread, load, markAllRead };
});
