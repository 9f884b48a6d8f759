// The models, the page of one, its versions, and versions side by side.
import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  {
    path: "/models",
    component: () => import("./ModelsPage.vue"),
    meta: { title: "models.title" },
  },
  {
    path: "/models/versions",
    component: () => import("./VersionsPage.vue"),
    meta: { title: "models.allVersions" },
  },
  {
    path: "/models/compare",
    component: () => import("./ComparePage.vue"),
    meta: { title: "models.compareTitle" },
  },
  {
    path: "/models/:model_id(\\d+)",
    component: () => import("./ModelPage.vue"),
    meta: { title: "models.title" },
  },
  {
    path: "/models/:model_id(\\d+)/v/:version(\\d+)",
    redirect: (to) => `${to.path.replace(/\/$/, "")}/card`,
  },
  {
    path: "/models/:model_id(\\d+)/v/:version(\\d+)/card",
    component: () => import("./VersionPage.vue"),
    meta: { title: "models.version" },
  },
];
