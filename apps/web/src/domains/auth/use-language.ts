// The language of the pages: chosen anywhere, kept by the browser and, once signed in, by the account.
import { updateMe } from "@spotter/contract";
import { api } from "../../platform/api.ts";
import type { Locale } from "../../platform/i18n.ts";
import { usePreferences } from "../../platform/preferences.ts";
import { useSession } from "./use-session.ts";

export function useLanguage() {
  const preferences = usePreferences();
  const session = useSession();

  /** Changes at once; throws when the account could not keep it. */
  async function choose(locale: Locale): Promise<void> {
    preferences.locale = locale;
    if (session.me !== null) session.me = await api.call(updateMe, { body: { locale } });
  }

  function toggle(): void {
    choose(preferences.locale === "en" ? "zh" : "en").catch((failure: unknown) => {
      console.warn("The account did not keep the language; this browser does.", failure);
    });
  }

  /** After signing in on another device: the language that was chosen there. */
  function adopt(): void {
    if (session.user?.locale != null) preferences.locale = session.user.locale;
  }

  return { choose, toggle, adopt };
}
