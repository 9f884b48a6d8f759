// The reason is a whole sentence in both languages.
import type { QueueEntry, WaitsFor } from "@spotter/contract";
import { expect, it } from "vitest";
import { createI18n } from "vue-i18n";
import { messagesOf } from "../../platform/i18n.ts";
import { sayWhy, writeNeeds } from "./prepare-reason.ts";

const NONE: WaitsFor = {
  ...{ kind: "other", resource: null, needed: null, there: null, holders: [], until: null },
  ...{ hidden_holders: 0, unknown: null },
};
function say(
  locale: "en" | "zh",
  why: Partial<WaitsFor>,
  more: Partial<QueueEntry> = {},
): string | null {
  const { t } = createI18n({
    legacy: false,
    locale,
    messages: { [locale]: messagesOf(locale) },
  }).global;
  const waits = { ...NONE, ...why };
  const entry = { state: "queued", reason: null, waits_for: waits, preempted: null, ...more };
  return sayWhy(entry as unknown as QueueEntry, {
    t: (key, values, plural) => (plural === undefined ? t(key, values) : t(key, values, plural)),
    clock: () => "14:20",
    count: (value) => value.toLocaleString("en"),
  });
}

it("says who holds what until when", () => {
  const why: Partial<WaitsFor> = {
    ...{ kind: "resource", resource: "gpus", needed: 1, holders: [12], until: 5 },
  };
  expect(say("en", why)).toBe("Needs 1 GPU, held by run 12 until about 14:20.");
  expect(say("zh", why)).toBe("需要 1 个 GPU，由训练 12 占用至约 14:20。");
  const many = { ...why, needed: 3, holders: [1, 2, 3, 4, 5], until: null };
  expect(say("en", many)).toBe("Needs 3 GPUs, held by runs 1, 2, 3 and 2 more.");
});

it("says whom it stands behind, and honestly when nobody knows for how long", () => {
  const why: Partial<WaitsFor> = {
    ...{ kind: "behind", resource: "gpus", needed: 1, holders: [15, 16], until: 5 },
  };
  const third = { position: 3 };
  expect(say("en", why, third)).toBe("Place 3 in line, behind runs 15, 16; starts at about 14:20.");
  expect(say("en", { ...why, until: null, unknown: 12 }, third)).toBe(
    "Place 3 in line, behind runs 15, 16; when is unknown: run 12 has no estimate yet.",
  );
  expect(say("zh", { ...why, until: null, unknown: 12 }, third)).toBe(
    "排在第 3 位，前面有训练 15, 16；开始时间未知：训练 12 尚无预计。",
  );
});

it("counts runs of other projects without naming them", () => {
  const why: Partial<WaitsFor> = { kind: "resource", resource: "gpus", needed: 2 };
  expect(say("en", { ...why, holders: [3], hidden_holders: 1 })).toBe(
    "Needs 2 GPUs, held by runs 3 and 1 more.",
  );
  expect(say("en", { ...why, holders: [], hidden_holders: 2 })).toBe(
    "Needs 2 GPUs, held by others.",
  );
});

it("says that it gave way, and that it goes on by itself", () => {
  const why: Partial<WaitsFor> = { kind: "resource", resource: "gpus", needed: 1, holders: [17] };
  expect(say("en", why, { preempted: { by: 17, step: 1240 } })).toBe(
    "Pre-empted by run 17 (urgent); goes on by itself from step 1,240. Needs 1 GPU, held by run 17.",
  );
  expect(say("zh", why, { preempted: { by: null, step: null } })).toContain(
    "被其他项目的紧急训练抢占",
  );
});

it("says what can never be, and whose turn it is", () => {
  const never = { kind: "never", resource: "cpu_cores", needed: 64, there: 2 } as const;
  expect(say("en", never)).toBe("Needs 64 CPU cores; this machine has 2 CPU cores.");
  expect(say("zh", { kind: "turn", holders: [7] })).toContain("训练 7");
});

it("writes needs shortly, with the GPUs that are held", () => {
  const needs = { gpus: 2, gpu_memory_gib: null, cpu_cores: 8, memory_gib: 1, disk_gib: 0 };
  expect(writeNeeds(needs, [0, 1])).toBe("2 GPU (0, 1) · 8 CPU");
  expect(writeNeeds(null, [])).toBe("");
});
