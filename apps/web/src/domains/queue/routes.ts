// The queue: what runs, what waits and why, in which order.
import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  {
    path: "/queue",
    component: () => import("./QueuePage.vue"),
    meta: { title: "queue.title" },
  },
];
