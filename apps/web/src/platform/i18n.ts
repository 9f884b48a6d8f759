// The words of the pages in English and Chinese; every file in src/locales/<language>/ is found by its name.
import { createI18n } from "vue-i18n";

export const LOCALES = ["en", "zh"] as const;
export type Locale = (typeof LOCALES)[number];
type Messages = { [key: string]: string | Messages };

const files = {
  en: import.meta.glob<{ default: Messages }>("../locales/en/*.ts", { eager: true }),
  zh: import.meta.glob<{ default: Messages }>("../locales/zh/*.ts", { eager: true }),
};

/** All words of a language, by the camelCase name of their file. */
export function messagesOf(locale: Locale): Messages {
  const messages: Messages = {};
  for (const [path, module] of Object.entries(files[locale])) {
    const file = path.split("/").at(-1)?.replace(".ts", "") ?? path;
    messages[file.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())] =
      module.default;
  }
  return messages;
}

/** The language that the browser asks for, where nobody has chosen one. */
export function preferredLocale(languages: readonly string[]): Locale {
  const first = languages.find((language) => /^(en|zh)\b/i.test(language));
  return first?.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const i18n = createI18n({
  legacy: false,
  locale: "en",
  fallbackLocale: "en",
  messages: { en: messagesOf("en"), zh: messagesOf("zh") },
  missingWarn: import.meta.env?.DEV === true,
  fallbackWarn: import.meta.env?.DEV === true,
});
