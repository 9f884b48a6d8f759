// How many alerts the person has not read: asked once, then again whenever one fires, in whatever tab it is read.
import { listAlerts, markAlertsRead } from "@spotter/contract";
import { defineStore } from "pinia";
import { ref } from "vue";
import { api } from "../../platform/api.ts";

export const useUnread = defineStore("unread-alerts", () => {
  const numUnread = ref(0);
  const readUpTo = ref(0);
  /** Of every project, so that "all" means all. */
  const newestId = ref(0);

  async function load(): Promise<void> {
    const page = await api.call(listAlerts, { query: { limit: "1" } });
    numUnread.value = page.num_unread;
    readUpTo.value = page.read_up_to;
    newestId.value = page.alerts[0]?.id ?? 0;
  }

  async function markAllRead(): Promise<void> {
    if (newestId.value > 0) await api.call(markAlertsRead, { body: { up_to: newestId.value } });
    await load();
  }

  return { numUnread, readUpTo, load, markAllRead };
});
