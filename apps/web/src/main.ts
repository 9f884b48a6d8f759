// Starts the pages: words, state, addresses, styles.
import "@fontsource-variable/inter";
import "./styles/tokens.css";
import "./styles/element.css";
import "./styles/base.css";
import { createPinia } from "pinia";
import { createApp } from "vue";
import AppRoot from "./app/AppRoot.vue";
import { router } from "./app/router.ts";
import { describeFailure } from "./platform/failure.ts";
import { i18n } from "./platform/i18n.ts";
import { usePreferences } from "./platform/preferences.ts";
import { useToasts } from "./platform/toasts.ts";

const app = createApp(AppRoot);
app.use(createPinia());
app.use(i18n);
usePreferences();
// What no page caught is said once, where it can be seen, and stays in the console with its trace.
app.config.errorHandler = (failure) => {
  console.error(failure);
  const words = { ...i18n.global, locale: i18n.global.locale.value };
  useToasts().show({ kind: "failed", text: describeFailure(failure, words).sentence });
};
app.use(router);
app.mount("#app");
