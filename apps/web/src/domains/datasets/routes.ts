// The datasets.
import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  {
    path: "/datasets",
    component: () => import("./DatasetsPage.vue"),
    meta: { title: "datasets.title" },
  },
];
