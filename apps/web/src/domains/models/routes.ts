// The models, and the page of one.
import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  {
    path: "/models",
    component: () => import("./ModelsPage.vue"),
    meta: { title: "models.title" },
  },
  {
    path: "/models/:model_id(\\d+)",
    component: () => import("./ModelPage.vue"),
    meta: { title: "models.title" },
  },
];
