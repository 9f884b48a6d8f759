// Failures as the pages say them: no line in two languages, nothing lost.
import { ApiError } from "@spotter/client";
import { expect, it } from "vitest";
import { createI18n } from "vue-i18n";
import { describeFailure, isNotThere, issuesOf, type Words } from "./failure.ts";
import { messagesOf } from "./i18n.ts";

function wordsOf(locale: "en" | "zh"): Words {
  const { t, te } = createI18n({
    legacy: false,
    locale,
    messages: { [locale]: messagesOf(locale) },
  }).global;
  return { t: (key, values) => t(key, values ?? {}), te: (key) => te(key), locale };
}
const failureOf = (code: string, message: string, details = {}) =>
  new ApiError(code, 400, message, details);

it("says a refusal exactly where its sentence is known, else by its code with the original kept", () => {
  expect(
    describeFailure(failureOf("run-state-conflict", "Run 3 has ended (failed)."), wordsOf("zh")),
  ).toEqual({ code: "run-state-conflict", sentence: "训练 3 已结束（失败）。", original: null });
  expect(describeFailure(failureOf("disk-full", "No room on /data."), wordsOf("zh"))).toMatchObject(
    { sentence: "磁盘已满；没有保存任何内容。", original: "No room on /data." },
  );
});

it("names the fields that are wrong, in either language", () => {
  const failure = failureOf("config-invalid", "config.epochs: must be at least 1", {
    issues: [
      { path: "config.epochs", message: "must be at least 1" },
      { path: "config.typo", message: "there is no field of this name" },
    ],
  });
  expect(describeFailure(failure, wordsOf("en")).sentence).toContain("epochs: Must be at least 1.");
  expect(describeFailure(failure, wordsOf("zh")).sentence).toContain("epochs：不能小于 1。");
  expect(issuesOf(failure, wordsOf("zh")).get("epochs")).toBe("不能小于 1。");
});

it("tells what is not there from what is wrong or away", () => {
  const of = (code: string, status: number, details = {}) =>
    isNotThere(new ApiError(code, status, "", details));
  expect(of("model-not-found", 404)).toBe(true);
  expect(of("route-not-found", 404)).toBe(false);
  // A number too large to be anybody's.
  expect(of("invalid-request", 400, { issues: [{ path: "path.model_id", message: "" }] })).toBe(
    true,
  );
  expect(of("invalid-request", 400, { issues: [{ path: "query.limit", message: "" }] })).toBe(
    false,
  );
  expect(of("unreachable", 0)).toBe(false);
  expect(isNotThere(new Error("gone"))).toBe(false);
});
