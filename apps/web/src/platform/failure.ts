// Turns anything that was thrown into a sentence, a code and the fields that it names.
import { ApiError } from "@spotter/client";
import { ErrorIssue } from "@spotter/contract";

export interface Words {
  t(key: string): string;
  te(key: string): boolean;
  locale: string;
}
export interface DescribedFailure {
  code: string;
  sentence: string;
}

/**
 * English readers get the server's own sentence, which may name the value at fault; other languages get the table's
 * sentence in theirs, so that no line mixes two languages.
 */
export function describeFailure(failure: unknown, words: Words): DescribedFailure {
  if (!(failure instanceof ApiError)) {
    const message = failure instanceof Error ? failure.message : String(failure);
    return { code: "page-error", sentence: `${words.t("app.pageError")} ${message}` };
  }
  const key = `errors.${failure.code}`;
  if (words.locale === "en" && failure.code !== "unreachable")
    return { code: failure.code, sentence: failure.message };
  return {
    code: failure.code,
    sentence: words.te(key) ? words.t(key) : failure.message,
  };
}

/** The issues that the server names, by field path; empty when it names none. */
export function issuesOf(failure: unknown): Map<string, string> {
  const issues = new Map<string, string>();
  if (!(failure instanceof ApiError)) return issues;
  const listed = ErrorIssue.array().safeParse(failure.details.issues);
  if (!listed.success) return issues;
  // A form shows configs, whose issues come with the body's own path before them.
  for (const issue of listed.data)
    issues.set(issue.path.replace(/^(body\.)?(config\.)?/, "").replace(/\//g, "."), issue.message);
  return issues;
}
