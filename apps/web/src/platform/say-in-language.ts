// What server and worker said, in the language of the page where the words for it are there. Pure.
import { recognise } from "@spotter/contract";
import { formatCount } from "./format/index.ts";
import { ISSUES, SENTENCES } from "./server-sentences.ts";

export interface Words {
  t(key: string, values?: Record<string, unknown>): string;
  te(key: string): boolean;
  locale: string;
}

/** Places whose values are words of ours, and where those words are. */
const WORD_GROUPS: Readonly<Record<string, string>> = {
  state: "app.states",
  role: "settings.people.roles",
  held: "settings.people.roles",
  action: "runPage.controls",
  class: "queue.priorities",
  otherClass: "queue.priorities",
};

/** Places of numbers of steps, which are written as on the rest of the page: `1,200`. */
const STEPS: ReadonlySet<string> = new Set(["step", "steps", "total"]);

/** `2 CPU cores`, `8 GiB of memory`: what a job needs of the machine. */
const AMOUNTS: readonly (readonly [RegExp, string, "n" | "gib"])[] = [
  [/^(\d+) GPUs?$/, "gpus", "n"],
  [/^(\d+) CPU cores?$/, "cores", "n"],
  [/^(.+ GiB) of GPU memory$/, "gpuMemory", "gib"],
  [/^(.+ GiB) of memory$/, "memory", "gib"],
  [/^(.+ GiB) of free disk$/, "disk", "gib"],
];

/** The sentence in the page's language; null where only the English one is known. */
export function sayInLanguage(text: string, words: Words): string | null {
  const found = recognise(text, SENTENCES);
  if (found === null) return words.locale === "en" ? text : null;
  const values = Object.fromEntries(
    Object.entries(found.values).map(([place, value]) => {
      if (place === "cause") return [place, sayInLanguage(value, words) ?? value];
      if (STEPS.has(place))
        return [place, value.replace(/\d+/g, (step) => formatCount(Number(step)))];
      if (words.locale === "en") return [place, value];
      if (place === "amount") return [place, sayAmount(value, words)];
      if (place === "runs") return [place, value.replace(/ and (\d+) more$/, " (+$1)")];
      const key = `${WORD_GROUPS[place] ?? ""}.${value}`;
      return [place, words.te(key) ? words.t(key) : value];
    }),
  );
  return words.t(`server.sentences.${found.key}`, values);
}

function sayAmount(text: string, words: Words): string {
  for (const [pattern, key, place] of AMOUNTS) {
    const number = pattern.exec(text)?.[1];
    if (number !== undefined) return words.t(`queue.amount.${key}`, { [place]: number });
  }
  return text;
}

/** What is wrong with a field, in people's words; the message itself where it is one that we do not know. */
export function sayIssue(message: string, words: Words): string {
  const found = recognise(message, ISSUES);
  if (found === null) return message;
  const values = Object.entries(found.values).map(([place, value]) => {
    const key = `server.kinds.${value}`;
    return [place, words.te(key) ? words.t(key) : value];
  });
  return words.t(`server.issues.${found.key}`, Object.fromEntries(values));
}
