// The settings and their pages.
import type { RouteRecordRaw } from "vue-router";

export const routes: RouteRecordRaw[] = [
  {
    path: "/settings",
    component: () => import("./SettingsPage.vue"),
    redirect: "/settings/account",
    children: [
      {
        path: "account",
        component: () => import("./AccountPage.vue"),
        meta: { title: "settings.pages.account" },
      },
      {
        path: "tokens",
        component: () => import("./TokensPage.vue"),
        meta: { title: "settings.pages.tokens" },
      },
      {
        path: "people",
        component: () => import("./PeoplePage.vue"),
        meta: { title: "settings.pages.people" },
      },
      {
        path: "system",
        component: () => import("./SystemPage.vue"),
        meta: { title: "settings.pages.system" },
      },
      {
        path: "audit",
        component: () => import("./AuditPage.vue"),
        meta: { title: "settings.pages.audit" },
      },
    ],
  },
];
