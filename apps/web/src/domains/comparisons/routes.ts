// Runs side by side: by an address that carries them, or saved under a name; without runs, those that were saved.
import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  {
    path: "/compare",
    component: () => import("./ComparePage.vue"),
    meta: { title: "compare.title" },
  },
  {
    path: "/compare/:comparison_id(\\d+)",
    component: () => import("./ComparePage.vue"),
    meta: { title: "compare.title" },
  },
];
