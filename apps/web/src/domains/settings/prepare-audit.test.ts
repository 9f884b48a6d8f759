// Entries of the audit log.
import type { AuditEntry } from "@spotter/contract";
import { expect, it } from "vitest";
import { detailsOf, subjectOf } from "./prepare-audit.ts";

const entry = {
  subject_kind: "run",
  subject_id: 42,
  details: { name: "digits", tags: ["a"] },
} as unknown as AuditEntry;

it("links runs, datasets and models to their pages and names everything else", () => {
  expect(subjectOf(entry, (kind) => kind)).toEqual({ text: "run 42", to: "/runs/42" });
  expect(subjectOf({ ...entry, subject_kind: "dataset" }, String).to).toBe("/datasets/42");
  expect(subjectOf({ ...entry, subject_kind: "user" }, () => "账号")).toEqual({
    text: "账号 42",
    to: null,
  });
  expect(subjectOf({ ...entry, subject_kind: null }, String).text).toBe("–");
});

it("writes details on one line", () => {
  expect(detailsOf(entry)).toBe('name: digits, tags: ["a"]');
  expect(detailsOf({ ...entry, details: { recipe: null } })).toBe("");
});
