// Turns anything that was thrown into a sentence, a code and the fields that it names.
import { ApiError } from "@spotter/client";
import { ErrorIssue } from "@spotter/contract";
import { sayInLanguage, sayIssue, type Words } from "./say-in-language.ts";

export type { Words } from "./say-in-language.ts";

export interface DescribedFailure {
  code: string;
  sentence: string;
  /** The server's own English sentence where the one above says less; for a tooltip. */
  original: string | null;
}

/**
 * English readers get the server's own sentence, which may name the value at fault. Other languages get the same in
 * theirs where it is known, else the sentence of the code: no line mixes two languages, and nothing is lost.
 */
export function describeFailure(failure: unknown, words: Words): DescribedFailure {
  if (!(failure instanceof ApiError)) {
    const message = failure instanceof Error ? failure.message : String(failure);
    return {
      code: "page-error",
      sentence: `${words.t("app.pageError")} ${message}`,
      original: null,
    };
  }
  const { code, message } = failure;
  const key = `errors.${code}`;
  const fields = fieldsLine(failure, words);
  if (words.locale === "en" && code !== "unreachable")
    return { code, sentence: fields ?? sayInLanguage(message, words) ?? message, original: null };
  const exact = code === "unreachable" ? null : sayInLanguage(message, words);
  if (exact !== null) return { code, sentence: exact, original: null };
  const general = words.te(key) ? words.t(key) : message;
  const original = general === message ? null : message;
  return { code, sentence: fields === null ? general : `${general} ${fields}`, original };
}

/** Nothing came back: neither an answer nor a refusal. */
export function isUnreachable(failure: unknown): boolean {
  return failure instanceof ApiError && failure.code === "unreachable";
}

/** The thing of a page's address is not there, or never could be: its number is too large to be one. */
export function isNotThere(failure: unknown): boolean {
  if (!(failure instanceof ApiError)) return false;
  if (failure.status === 404 && failure.code !== "route-not-found") return true;
  const issues = listedIssues(failure);
  return issues.length > 0 && issues.every(({ path }) => path.startsWith("path."));
}

/** The issues that the server names, by field path, in the page's words; empty when it names none. */
export function issuesOf(failure: unknown, words?: Words): Map<string, string> {
  const issues = new Map<string, string>();
  // A form shows configs, whose issues come with the body's own path before them.
  for (const issue of listedIssues(failure))
    issues.set(
      issue.path.replace(/^(body\.)?(config\.)?/, "").replace(/\//g, "."),
      words === undefined ? issue.message : sayIssue(issue.message, words),
    );
  return issues;
}

/** At most three fields with what is wrong of each; null when the server names none. */
function fieldsLine(failure: ApiError, words: Words): string | null {
  const issues = [...issuesOf(failure, words)].slice(0, 3);
  if (issues.length === 0) return null;
  return issues
    .map(([path, message]) => (path === "" ? message : words.t("errors.field", { path, message })))
    .join(" ");
}

function listedIssues(failure: unknown): ErrorIssue[] {
  if (!(failure instanceof ApiError)) return [];
  const listed = ErrorIssue.array().safeParse(failure.details.issues);
  return listed.success ? listed.data : [];
}
