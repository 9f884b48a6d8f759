// The palette's settings: pages, theme, language, keyboard.
import type { Router } from "vue-router";
import { useLanguage } from "../domains/auth/use-language.ts";
import type { Command } from "../platform/commands.ts";
import { usePreferences } from "../platform/preferences.ts";

/** Settings pages that the person may open, and what is switched in one step. */
export function settingCommands(
  router: Router,
  openHelp: () => void,
  t: (key: string) => string,
  isAdmin: boolean,
): Command[] {
  const preferences = usePreferences();
  const pages = ["account", "tokens", "system", ...(isAdmin ? ["people", "audit"] : [])];
  return [
    ...pages.map(
      (page): Command => ({
        id: `settings-${page}`,
        kind: "setting",
        title: t(`settings.pages.${page}`),
        keywords: `settings ${page}`,
        run: () => void router.push(`/settings/${page}`),
      }),
    ),
    {
      id: "theme",
      kind: "setting",
      title: t(preferences.isDark ? "app.toLight" : "app.toDark"),
      keywords: "theme dark light",
      run: () => {
        preferences.theme = preferences.isDark ? "light" : "dark";
      },
    },
    {
      id: "language",
      kind: "setting",
      title: t("app.switchLanguage"),
      keywords: "language english 中文 zhongwen",
      run: () => {
        useLanguage().toggle();
      },
    },
    { id: "keyboard", kind: "setting", title: t("app.keyboard"), keys: "?", run: openHelp },
  ];
}
