// Language, theme, density and the rail's width: chosen here, remembered by this browser.
import { defineStore } from "pinia";
import { computed, ref, watchEffect } from "vue";
import { i18n, type Locale, preferredLocale } from "./i18n.ts";
import { readStored, writeStored } from "./storage.ts";

export type Theme = "system" | "light" | "dark";

export const usePreferences = defineStore("preferences", () => {
  const locale = ref<Locale>(readStored("locale", preferredLocale(navigator.languages)));
  const theme = ref<Theme>(readStored("theme", "system"));
  const comfortable = ref(readStored("comfortable", false));
  const railCollapsed = ref(readStored("rail-collapsed", false));
  const systemDark = ref(matchMedia("(prefers-color-scheme: dark)").matches);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    systemDark.value = event.matches;
  });
  const isDark = computed(
    () => theme.value === "dark" || (theme.value === "system" && systemDark.value),
  );

  watchEffect(() => {
    const root = document.documentElement;
    i18n.global.locale.value = locale.value;
    root.lang = locale.value === "zh" ? "zh-CN" : "en";
    root.classList.toggle("dark", isDark.value);
    root.classList.toggle("comfortable", comfortable.value);
  });
  watchEffect(() => {
    writeStored("locale", locale.value);
    writeStored("theme", theme.value);
    writeStored("comfortable", comfortable.value);
    writeStored("rail-collapsed", railCollapsed.value);
  });

  return { locale, theme, comfortable, railCollapsed, isDark };
});
