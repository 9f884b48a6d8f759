// The runs list and the form of a new training.
import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  {
    path: "/runs",
    component: () => import("./list/RunsPage.vue"),
    meta: { title: "runs.title" },
  },
  {
    path: "/runs/new",
    component: () => import("./new-run/NewRunPage.vue"),
    meta: { title: "newRun.title" },
  },
];
