// Entries of the audit log.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AuditEntry } from "@spotter/contract";
import { expect, it } from "vitest";
import { i18n } from "../../platform/i18n.ts";
import type { Words } from "../../platform/say-in-language.ts";
import { detailsOf, subjectOf } from "./prepare-audit.ts";

const { t, te } = i18n.global;
const wordsOf = (locale: "en" | "zh"): Words => ({
  t: (key, values) => t(key, values ?? {}, { locale }),
  te: (key) => te(key, locale),
  locale,
});
const entry = {
  ...{ subject_kind: "run", subject_id: 42, action: "run-updated" },
  details: { name: "digits", tags: ["a", "b"] },
} as unknown as AuditEntry;
const said = (action: string, details: AuditEntry["details"], locale: "en" | "zh" = "en") =>
  detailsOf({ action, details }, wordsOf(locale)).map(({ name, text }) => `${name}: ${text}`);

it("links runs, datasets, models and comparisons to their pages and names everything else", () => {
  expect(subjectOf(entry, (kind) => kind)).toEqual({ text: "run 42", to: "/runs/42" });
  expect(subjectOf({ ...entry, subject_kind: "dataset" }, String).to).toBe("/datasets/42");
  expect(subjectOf({ ...entry, subject_kind: "comparison" }, String).to).toBe("/compare/42");
  expect(subjectOf({ ...entry, subject_kind: "user" }, () => "账号")).toEqual({
    text: "账号 42",
    to: null,
  });
  expect(subjectOf({ ...entry, subject_kind: null }, String).text).toBe("–");
});

it("says details as names and values, in the page's language", () => {
  expect(said("run-updated", entry.details)).toEqual(["Name: digits", "Tags: a, b"]);
  expect(said("run-updated", entry.details, "zh")).toEqual(["名称: digits", "标签: a、b"]);
  expect(said("member-set", { role: "viewer" }, "zh")).toEqual(["角色: 访客"]);
  expect(said("priority-changed", { from: 0, to: 2 }, "zh")).toEqual(["原来: 普通", "现在: 紧急"]);
  expect(said("user-changed", { disabled: true, password_set: false })).toEqual(["Disabled: yes"]);
  expect(said("project-changed", { archived: false })).toEqual(["Archived: no"]);
});

it("keeps the names of settings, and leaves out what says nothing", () => {
  const values = { learning_rate: 0.001, optimizer: "adamw" };
  expect(said("run-controlled", { action: "set", values, reason: "too fast" }, "zh")).toEqual([
    ...["操作: 修改参数", "learning_rate: 0.001", "optimizer: adamw", "原因: too fast"],
  ]);
  expect(said("run-created", { recipe: null, tags: [] })).toEqual([]);
  const keep = { optimizer: true, rng: false, data_position: true };
  expect(said("run-forked", { keep }, "zh")).toEqual(["保留: 优化器、数据位置"]);
});

it("says a rule's condition as its page does", () => {
  const condition = {
    kind: "metric",
    metric: "train/loss",
    comparison: "above",
    value: 5,
    points: 1,
  };
  expect(said("alert-rule-created", { condition }).join()).toContain("train/loss");
  expect(said("alert-rule-created", { condition }).join()).not.toContain("{");
});

it("has a word for every key that the server writes into the log as a literal", () => {
  const root = join(import.meta.dirname, "../../../../server/src");
  const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => readFileSync(join(root, file), "utf8"))
    .filter((text) => text.includes("audit"));
  const keys = sources.flatMap((text) =>
    [...text.matchAll(/\.record\(\{[^;]*?details: \{([^}]*)\}/gs)].flatMap(([, body]) =>
      [...(body ?? "").matchAll(/(?<![.\w])([a-z_]+):/g)].map(([, key]) => key ?? ""),
    ),
  );
  expect(keys).toContain("num_files");
  // Under `changes` stand settings by their own names.
  for (const key of keys.filter((each) => each !== "changes"))
    expect([key, te(`settings.audit.keys.${key}`, "zh")]).toEqual([key, true]);
});
