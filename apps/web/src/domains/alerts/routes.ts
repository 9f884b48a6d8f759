// What fired, the rules, the targets, and the deliveries to them.
import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  {
    path: "/alerts",
    component: () => import("./AlertsPage.vue"),
    children: [
      {
        path: "",
        component: () => import("./FiredTab.vue"),
        meta: { title: "alerts.title" },
      },
      {
        path: "rules",
        component: () => import("./RulesTab.vue"),
        meta: { title: "alerts.tabs.rules" },
      },
      {
        path: "targets",
        component: () => import("./TargetsTab.vue"),
        meta: { title: "alerts.tabs.targets" },
      },
      {
        path: "deliveries",
        component: () => import("./DeliveriesTab.vue"),
        meta: { title: "alerts.tabs.deliveries" },
      },
    ],
  },
];
