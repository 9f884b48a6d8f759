// Starts the pages: words, state, addresses, styles.
import "@fontsource-variable/inter";
import "./styles/tokens.css";
import "./styles/element.css";
import "./styles/base.css";
import { createPinia } from "pinia";
import { createApp } from "vue";
import AppRoot from "./app/AppRoot.vue";
import { router } from "./app/router.ts";
import { i18n } from "./platform/i18n.ts";
import { usePreferences } from "./platform/preferences.ts";

const app = createApp(AppRoot);
app.use(createPinia());
app.use(i18n);
usePreferences();
app.use(router);
app.mount("#app");
