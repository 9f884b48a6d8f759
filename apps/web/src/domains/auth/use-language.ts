// The language of the pages: chosen anywhere, kept by the browser and, once signed in, by the account.
import { updateMe } from "@spotter/contract";
import { api } from "../../platform/api.ts";
import type { Locale } from "../../platform/i18n.ts";
import { usePreferences } from "../../platform/preferences.ts";
import { useSession } from "./use-session.ts";

/** Chosen on a page before sign-in: whoever does that means it, and wants no other language a moment later. */
let chosenAtTheGate: Locale | null = null;

export function useLanguage() {
  const preferences = usePreferences();
  const session = useSession();

  /** Changes at once; throws when the account could not keep it. */
  async function choose(locale: Locale): Promise<void> {
    preferences.locale = locale;
    if (session.me === null) chosenAtTheGate = locale;
    else session.me = await api.call(updateMe, { body: { locale } });
  }

  function toggle(): void {
    keep(preferences.locale === "en" ? "zh" : "en");
  }

  /** After signing in: the language that was chosen just before, else the one that the account has kept. */
  function adopt(): void {
    const chosen = chosenAtTheGate;
    chosenAtTheGate = null;
    if (chosen !== null && session.user?.locale !== chosen) keep(chosen);
    else if (session.user?.locale != null) preferences.locale = session.user.locale;
  }

  function keep(locale: Locale): void {
    choose(locale).catch((failure: unknown) => {
      console.warn("The account did not keep the language; this browser does.", failure);
    });
  }

  return { choose, toggle, adopt };
}
