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
  expect(detailsOf(entry)).toBe("name: digits · tags: a");
  expect(detailsOf({ ...entry, details: { recipe: null } })).toBe("");
});

it("writes no JSON, however deep the details go", () => {
  const details: AuditEntry["details"] = {
    action: "set",
    values: { learning_rate: 0.0001, gradient_clip: null },
    reason: 'the "loss" jumps',
    forks: [7, 8],
    changes: [{ key: "epochs", to: 3 }, { key: "notes" }],
    keep: {},
  };
  expect(detailsOf({ ...entry, details })).toBe(
    'action: set · values.learning_rate: 0.0001 · values.gradient_clip: – · reason: the "loss" jumps · forks: 7, 8 · ' +
      "changes.1.key: epochs · changes.1.to: 3 · changes.2.key: notes",
  );
});
