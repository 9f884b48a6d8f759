// Addresses and pages: every domain brings its own routes; here they are gathered and guarded.
import { shallowRef } from "vue";
import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";
import { useSession } from "../domains/auth/use-session.ts";
import { onSignedOut } from "../platform/api.ts";

const found = import.meta.glob<{ routes: RouteRecordRaw[] }>("../domains/**/routes.ts", {
  eager: true,
});

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    ...Object.values(found).flatMap((module) => module.routes),
    {
      path: "/:rest(.*)*",
      component: () => import("./NotFoundPage.vue"),
      meta: { title: "app.notFound.title" },
    },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
});

router.beforeEach(async (to) => {
  const session = useSession();
  if (session.me === null) await session.load();
  if (to.meta.public === true) return true;
  if (session.me !== null) return true;
  if (session.facts?.setup_needed === true) return { path: "/setup" };
  return { path: "/sign-in", query: to.fullPath === "/" ? {} : { next: to.fullPath } };
});

/** What kept the first page from being shown; nothing of it can be seen anywhere else. */
export const startFailure = shallowRef<unknown>(null);

router.onError((failure: unknown, to) => {
  // After an update of the server the old page's parts are gone: one load of the new page heals it.
  const isOldPage = failure instanceof TypeError && /import|module/i.test(failure.message);
  const reloaded = Number(sessionStorage.getItem("spotter.reloaded-at") ?? 0);
  if (isOldPage && Date.now() - reloaded > 30_000) {
    sessionStorage.setItem("spotter.reloaded-at", String(Date.now()));
    location.assign(to.fullPath);
    return;
  }
  startFailure.value = failure;
  console.error(failure);
});
router.afterEach(() => {
  startFailure.value = null;
});

onSignedOut(() => {
  const session = useSession();
  if (session.me === null) return;
  session.forget();
  const here = router.currentRoute.value;
  void router.replace({ path: "/sign-in", query: { next: here.fullPath } });
});
