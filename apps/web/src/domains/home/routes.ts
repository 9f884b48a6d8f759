// The first page.
import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  { path: "/", component: () => import("./HomePage.vue"), meta: { title: "app.places.home" } },
];
