// Why a job waits and what it needs, in the person's language and time zone. Pure.
import type { Preempted, QueueEntry, WaitsFor } from "@spotter/contract";
import type { Context } from "./context.ts";
import { reasonWords } from "./queue-words.ts";
import type { Language } from "./settings.ts";

type Text = Context["text"];

/** `2 GPU · 8 CPU`: GPUs and cores; memory only where it is scarce enough to have been asked for. */
export function needsText({ needs, gpus }: Pick<QueueEntry, "needs" | "gpus">, t: Text): string {
  if (needs === null) return "";
  const parts = [`${needs.cpu_cores} CPU`];
  if (needs.gpus > 0) {
    const which = gpus.length > 0 ? ` (${gpus.join(",")})` : "";
    const memory = needs.gpu_memory_gib === null ? "" : ` ${gib(needs.gpu_memory_gib)}`;
    parts.unshift(`${needs.gpus} GPU${which}${memory}`);
  }
  if (needs.disk_gib > 0)
    parts.push(t(`${gib(needs.disk_gib)} disk`, `磁盘 ${gib(needs.disk_gib)}`));
  return parts.join(" · ");
}

/** The server's English sentence, with its times in the reader's zone; the same in Chinese. */
export function reasonText(entry: QueueEntry, t: Text, language: Language): string {
  const { waits_for: why, reason } = entry;
  if (why === null)
    return entry.state === "queued" && reason === null
      ? t("Starts in a moment.", "马上开始。")
      : reasonWords(reason, language);
  const said = sentenceOf(why, entry.position, t);
  if (said === null) return reasonWords(reason, language);
  return entry.preempted === null ? said : `${preemptedText(entry.preempted, t)}${said}`;
}

/** That it gave way to an urgent one, and goes on by itself. */
function preemptedText({ by, step }: Preempted, t: Text): string {
  const who =
    by === null
      ? t("an urgent run of another project", "其他项目的紧急训练")
      : t(`run ${by} (urgent)`, `训练 ${by}（紧急）`);
  const at = step === null ? null : step.toLocaleString("en");
  return at === null
    ? t(
        `pre-empted by ${who}, goes on by itself from its last checkpoint; `,
        `被${who}抢占，之后自动从最后的检查点继续；`,
      )
    : t(
        `pre-empted by ${who}, goes on by itself from step ${at}; `,
        `被${who}抢占，之后自动从第 ${at} 步继续；`,
      );
}

function sentenceOf(why: WaitsFor, place: number | null, t: Text): string | null {
  const { kind, holders, until, there } = why;
  const at = until === null ? null : clock(until);
  switch (kind) {
    case "resource": {
      const needed = amount(why, t);
      if (why.resource === "disk")
        return t(
          `needs ${needed}; ${gib(there ?? 0)} are free`,
          `需要${needed}，目前空闲 ${gib(there ?? 0)}`,
        );
      const who = runs(why, t);
      const verb = holders.length + why.hidden_holders === 1 ? "holds" : "hold";
      const english = `needs ${needed}; ${who} ${verb} ${why.needed === 1 ? "it" : "them"}`;
      return at === null
        ? t(english, `需要${needed}，由${who}占用`)
        : t(`${english} until about ${at}`, `需要${needed}，由${who}占用至约 ${at}`);
    }
    case "behind": {
      const where = t(
        `place ${place} in line, behind ${runs(why, t)}`,
        `排在第 ${place} 位，前面有${runs(why, t)}`,
      );
      if (at !== null) return t(`${where}; starts at about ${at}`, `${where}，约 ${at} 开始`);
      if (why.unknown === null) return t(`${where}; when is unknown`, `${where}，开始时间未知`);
      return t(
        `${where}; when is unknown: run ${why.unknown} has no estimate yet`,
        `${where}，开始时间未知：训练 ${why.unknown} 尚无预计`,
      );
    }
    case "turn":
      if (holders[0] === undefined)
        return t(
          "would fit, but another run is first in line and needs the room",
          "放得下，但另一个训练排在最前且需要这些资源",
        );
      return t(
        `would fit, but run ${holders[0]} is first in line and needs the room`,
        `放得下，但训练 ${holders[0]} 排在最前且需要这些资源`,
      );
    case "never": {
      const has = amount({ ...why, needed: there }, t);
      return t(
        `needs ${amount(why, t)}; this machine has ${has}`,
        `需要${amount(why, t)}，本机只有${has}`,
      );
    }
    case "quota":
      return t(
        `its owner's ${there} running trainings are as many as one person may have`,
        `其所有者已有 ${there} 个训练在运行，达到每人上限`,
      );
    case "retry":
      return t(
        `its last attempt was lost; it is tried again at about ${at}`,
        `上一次尝试中断，约 ${at} 重试`,
      );
    case "line":
      return t("waits for an earlier one to end", "等待前一个结束");
    case "other":
      return null;
  }
}

function amount({ resource, needed }: Pick<WaitsFor, "resource" | "needed">, t: Text): string {
  const n = needed ?? 0;
  switch (resource) {
    case "gpus":
      return t(n === 1 ? "1 GPU" : `${n} GPUs`, ` ${n} 个 GPU`);
    case "cpu_cores":
      return t(n === 1 ? "1 CPU core" : `${n} CPU cores`, ` ${n} 个 CPU 核`);
    case "gpu_memory":
      return t(`${gib(n)} of GPU memory`, ` ${gib(n)} 显存`);
    case "memory":
      return t(`${gib(n)} of memory`, ` ${gib(n)} 内存`);
    default:
      return t(`${gib(n)} of free disk`, ` ${gib(n)} 空闲磁盘`);
  }
}

/** Those of projects that the person is not in are counted only. */
function runs(
  { holders, hidden_holders: numHidden }: Pick<WaitsFor, "holders" | "hidden_holders">,
  t: Text,
): string {
  if (holders.length === 0) return t("others", "其他任务");
  const shown = holders.slice(0, 3);
  const total = holders.length + numHidden;
  const more = total - shown.length;
  const english = `${total === 1 ? "run" : "runs"} ${shown.join(", ")}`;
  return t(
    more > 0 ? `${english} and ${more} more` : english,
    `训练 ${shown.join("、")}${more > 0 ? ` 等 ${total} 个` : " "}`,
  );
}

function gib(value: number): string {
  return `${Number(value.toFixed(1))} GiB`;
}

/** `14:20`; on another day with the day. */
export function clock(time: number): string {
  const date = new Date(time * 1000);
  const text = date.toTimeString().slice(0, 5);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? text : `${date.getMonth() + 1}/${date.getDate()} ${text}`;
}
