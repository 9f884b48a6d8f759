// Both languages have the same words, and the templates use no word that is missing.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { errorTable } from "@spotter/contract";
import { expect, it } from "vitest";
import { messagesOf, preferredLocale } from "../platform/i18n.ts";

type Messages = { [key: string]: string | Messages };

const flat = (messages: Messages, before = ""): Map<string, string> =>
  new Map(
    Object.entries(messages).flatMap(([key, value]) =>
      typeof value === "string" ? [[before + key, value]] : [...flat(value, `${before}${key}.`)],
    ),
  );
const en = flat(messagesOf("en"));
const zh = flat(messagesOf("zh"));

it("have the same keys in both languages", () => {
  expect([...zh.keys()].filter((key) => !en.has(key))).toEqual([]);
  expect([...en.keys()].filter((key) => !zh.has(key))).toEqual([]);
});

it("take the same values in both languages", () => {
  // What a library says besides, at places that begin with `_`, is in its own words and may be left out.
  const places = (text: string) => [...new Set(text.match(/\{[a-z]\w*\}/gi) ?? [])].sort();
  for (const [key, text] of en)
    expect([key, places(zh.get(key) ?? "")]).toEqual([key, places(text)]);
});

it("are Chinese in Chinese, with full-width punctuation after Chinese characters", () => {
  for (const [key, text] of zh)
    expect([key, /[\u4e00-\u9fff][,;:!?]/.test(text)]).toEqual([key, false]);
});

it("have a sentence for every error code", () => {
  for (const code of Object.keys(errorTable)) expect(zh.has(`errors.${code}`)).toBe(true);
});

it("have every key that a page names", () => {
  const missing: string[] = [];
  for (const file of sources(path.resolve(import.meta.dirname, ".."))) {
    // Doc comments show examples; those are not words of the pages.
    const text = readFileSync(file, "utf8").replace(/^\s*(\*|\/\*\*|\/\/).*$/gm, "");
    for (const match of text.matchAll(/\bt\(\s*["']([a-zA-Z][\w.-]*\.[\w.-]+)["']/g))
      if (match[1] !== undefined && !en.has(match[1])) missing.push(`${match[1]} in ${file}`);
    for (const match of text.matchAll(/(?:label|group|title): "([a-z][A-Za-z]*\.[\w.]+)"/g))
      if (match[1] !== undefined && !en.has(match[1])) missing.push(`${match[1]} in ${file}`);
  }
  expect(missing).toEqual([]);
});

it("follow the browser's language where nobody has chosen", () => {
  expect(preferredLocale(["zh-CN", "en"])).toBe("zh");
  expect(preferredLocale(["fr", "en-GB"])).toBe("en");
  expect(preferredLocale([])).toBe("en");
});

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(
      (file) => /\.(vue|ts)$/.test(file) && !file.endsWith(".test.ts") && !file.includes("locales"),
    )
    .map((file) => path.join(folder, file));
}
