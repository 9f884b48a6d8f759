// Why a job waits and what it needs, in the page's language and time. Pure.
import type { JobNeeds, QueueEntry, WaitsFor } from "@spotter/contract";

export interface ReasonWords {
  t(key: string, values: Record<string, unknown>, plural?: number): string;
  /** Writes a moment: `14:20`. */
  clock(time: number): string;
}

/** The sentence; null where only the server's own one is there, or none. */
export function sayWhy(entry: QueueEntry, words: ReasonWords): string | null {
  const { waits_for: why } = entry;
  if (why === null)
    return entry.state === "queued" && entry.reason === null ? words.t("queue.why.soon", {}) : null;
  const { t, clock } = words;
  const at = why.until === null ? null : clock(why.until);
  switch (why.kind) {
    case "resource": {
      const needed = sayAmount(why, words);
      if (why.resource === "disk")
        return t("queue.why.disk", { needed, free: writeGib(why.there ?? 0) });
      const values = { needed, runs: sayRuns(why.holders, words) };
      const isOne = why.holders.length === 1;
      if (at !== null) return t(`queue.why.held${isOne ? "" : "ByMany"}Until`, { ...values, at });
      return t(`queue.why.held${isOne ? "" : "ByMany"}`, values);
    }
    case "turn":
      return t("queue.why.turn", { run: why.holders[0] ?? "" });
    case "never":
      return t("queue.why.never", {
        needed: sayAmount(why, words),
        has: sayAmount({ ...why, needed: why.there }, words),
      });
    case "quota":
      return t("queue.why.quota", { n: why.there ?? 0 });
    case "retry":
      return t("queue.why.retry", { at: at ?? "" });
    case "line":
      return t("queue.why.line", {});
    case "other":
      return null;
  }
}

/** `2 GPU · 8 CPU`; which GPUs, where it holds them. */
export function writeNeeds(needs: JobNeeds | null, gpus: readonly number[]): string {
  if (needs === null) return "";
  const parts: string[] = [];
  if (needs.gpus > 0) {
    const which = gpus.length > 0 ? ` (${gpus.join(", ")})` : "";
    const memory = needs.gpu_memory_gib === null ? "" : ` · ${writeGib(needs.gpu_memory_gib)}`;
    parts.push(`${needs.gpus} GPU${which}${memory}`);
  }
  parts.push(`${needs.cpu_cores} CPU`);
  return parts.join(" · ");
}

/** `12,400.5`, in both languages. */
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export function writeGib(value: number): string {
  return `${WHOLE.format(value)} GiB`;
}

function sayAmount(
  { resource, needed }: Pick<WaitsFor, "resource" | "needed">,
  { t }: ReasonWords,
): string {
  const n = needed ?? 0;
  if (resource === "gpus") return t("queue.amount.gpus", { n }, n);
  if (resource === "cpu_cores") return t("queue.amount.cores", { n }, n);
  const key = { gpu_memory: "gpuMemory", memory: "memory", disk: "disk" }[resource ?? "disk"];
  return t(`queue.amount.${key}`, { gib: writeGib(n) });
}

function sayRuns(ids: readonly number[], { t }: ReasonWords): string {
  if (ids.length === 0) return t("queue.why.others", {});
  if (ids.length === 1) return t("queue.why.oneRun", { run: ids[0] ?? "" });
  if (ids.length <= 3) return t("queue.why.runs", { runs: ids.join(", ") });
  return t("queue.why.manyRuns", { runs: ids.slice(0, 3).join(", "), n: ids.length - 3 });
}
