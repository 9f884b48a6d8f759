// Pages before anybody is signed in.
import type { RouteRecordRaw } from "vue-router";

const meta = { bare: true, public: true };
export const routes: RouteRecordRaw[] = [
  {
    path: "/sign-in",
    component: () => import("./SignInPage.vue"),
    meta: { ...meta, title: "auth.signIn" },
  },
  {
    path: "/setup",
    component: () => import("./SetupPage.vue"),
    meta: { ...meta, title: "auth.setup" },
  },
  {
    path: "/register",
    component: () => import("./RegisterPage.vue"),
    meta: { ...meta, title: "auth.register" },
  },
];
