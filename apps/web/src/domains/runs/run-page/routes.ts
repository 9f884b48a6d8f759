// The page of one run and its tabs.
import type { RouteRecordRaw } from "vue-router";

const tab = (path: string, component: RouteRecordRaw["component"]) =>
  ({ path, component, meta: { title: `runPage.tabs.${path}` } }) as RouteRecordRaw;

export const routes: RouteRecordRaw[] = [
  {
    path: "/runs/:run_id(\\d+)",
    component: () => import("./RunPage.vue"),
    meta: { title: "runPage.title" },
    children: [
      {
        path: "",
        redirect: (to) => ({ path: `${to.path.replace(/\/$/, "")}/charts`, query: to.query }),
      },
      tab("charts", () => import("./ChartsTab.vue")),
      tab("config", () => import("./ConfigTab.vue")),
      tab("logs", () => import("./LogsTab.vue")),
      tab("system", () => import("./SystemTab.vue")),
      tab("files", () => import("./FilesTab.vue")),
      tab("lineage", () => import("./LineageTab.vue")),
      {
        path: "fork",
        component: () => import("../fork/ForkTab.vue"),
        meta: { title: "fork.title" },
      },
      tab("control", () => import("./ControlTab.vue")),
    ],
  },
];
