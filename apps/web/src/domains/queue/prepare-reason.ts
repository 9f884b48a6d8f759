// Why a job waits and what it needs, in the page's language and time. Pure.
import type { JobNeeds, Preempted, QueueEntry, WaitsFor } from "@spotter/contract";

export interface ReasonWords {
  t(key: string, values: Record<string, unknown>, plural?: number): string;
  /** Writes a moment: `14:20`. */
  clock(time: number): string;
  /** Writes a number of steps: `12,400`. */
  count(value: number): string;
}

/** The sentence; null where only the server's own one is there, or none. */
export function sayWhy(entry: QueueEntry, words: ReasonWords): string | null {
  const { waits_for: why } = entry;
  if (why === null)
    return entry.state === "queued" && entry.reason === null ? words.t("queue.why.soon", {}) : null;
  const waiting = sayWaiting(entry, why, words);
  if (entry.preempted === null || waiting === null) return waiting;
  return `${sayPreempted(entry.preempted, words)} ${waiting}`;
}

/** That it gave way to an urgent one, and goes on by itself. */
function sayPreempted({ by, step }: Preempted, { t, count }: ReasonWords): string {
  const who = by === null ? t("queue.why.urgentHidden", {}) : t("queue.why.urgent", { run: by });
  return step === null
    ? t("queue.why.preempted", { who })
    : t("queue.why.preemptedAt", { who, step: count(step) });
}

/** Of a running one that was asked to give way; null of all others. */
export function sayYielding({ preempted }: QueueEntry, { t }: ReasonWords): string | null {
  if (preempted === null) return null;
  const { by } = preempted;
  const who = by === null ? t("queue.why.urgentHidden", {}) : t("queue.why.urgent", { run: by });
  return t("queue.why.yields", { who });
}

function sayWaiting(entry: QueueEntry, why: WaitsFor, words: ReasonWords): string | null {
  const { t, clock } = words;
  const at = why.until === null ? null : clock(why.until);
  switch (why.kind) {
    case "resource": {
      const needed = sayAmount(why, words);
      if (why.resource === "disk")
        return t("queue.why.disk", { needed, free: writeGib(why.there ?? 0) });
      const values = { needed, runs: sayRuns(why, words) };
      return at === null
        ? t("queue.why.held", values)
        : t("queue.why.heldUntil", { ...values, at });
    }
    case "behind": {
      const values = { place: entry.position ?? 0, runs: sayRuns(why, words).trimEnd() };
      if (at !== null) return t("queue.why.behindUntil", { ...values, at });
      return why.unknown === null
        ? t("queue.why.behind", values)
        : t("queue.why.behindUnknown", { ...values, run: why.unknown });
    }
    case "turn":
      return why.holders[0] === undefined
        ? t("queue.why.turnHidden", {})
        : t("queue.why.turn", { run: why.holders[0] });
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

/** Those of other projects are counted only. */
function sayRuns(
  { holders, hidden_holders: numHidden }: Pick<WaitsFor, "holders" | "hidden_holders">,
  { t }: ReasonWords,
): string {
  const total = holders.length + numHidden;
  if (holders.length === 0) return t("queue.why.others", {});
  if (total === 1) return t("queue.why.oneRun", { run: holders[0] ?? "" });
  const shown = holders.slice(0, 3);
  const runs = shown.join(", ");
  if (total === shown.length) return t("queue.why.runs", { runs });
  return t("queue.why.manyRuns", { runs, n: total - shown.length });
}
