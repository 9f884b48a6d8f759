// Moving a row: by the mouse or a finger on its handle, or by keys. Says where it would stand; the page does it.
import { ref } from "vue";

export interface RowDrag {
  readonly jobId: number;
  /** In front of this one; null: behind all. */
  readonly before: number | null;
}

export function useRowDrag(parts: {
  /** The rows among which this one may move, in order, itself among them. */
  peers: (jobId: number) => readonly number[];
  elementOf: (jobId: number) => HTMLElement | null;
  drop: (drag: RowDrag) => void;
}) {
  const dragged = ref<RowDrag | null>(null);

  function begin(jobId: number, event: PointerEvent): void {
    if (event.button !== 0 || parts.peers(jobId).length < 2) return;
    event.preventDefault();
    const handle = event.currentTarget as HTMLElement;
    handle.focus();
    handle.setPointerCapture(event.pointerId);
    const follow = (moved: PointerEvent) => {
      dragged.value = { jobId, before: rowUnder(jobId, moved.clientY) };
    };
    const end = (last: PointerEvent) => {
      handle.removeEventListener("pointermove", follow);
      handle.removeEventListener("pointerup", end);
      handle.removeEventListener("pointercancel", end);
      removeEventListener("keydown", giveUp);
      const wish = dragged.value;
      dragged.value = null;
      if (last.type === "pointerup" && wish !== null && isOther(wish)) parts.drop(wish);
    };
    const giveUp = (key: KeyboardEvent) => {
      if (key.key === "Escape") end(new PointerEvent("pointercancel"));
    };
    handle.addEventListener("pointermove", follow);
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
    addEventListener("keydown", giveUp);
  }

  function rowUnder(jobId: number, y: number): number | null {
    for (const peer of parts.peers(jobId)) {
      if (peer === jobId) continue;
      const box = parts.elementOf(peer)?.getBoundingClientRect();
      if (box !== undefined && y < box.top + box.height / 2) return peer;
    }
    return null;
  }

  /** Whether it would stand elsewhere than now. */
  function isOther({ jobId, before }: RowDrag): boolean {
    const peers = parts.peers(jobId);
    const next = peers[peers.indexOf(jobId) + 1] ?? null;
    return before !== next;
  }

  /** One place up or down. */
  function step(jobId: number, direction: -1 | 1): void {
    const peers = parts.peers(jobId);
    const at = peers.indexOf(jobId);
    const target = at + direction;
    if (at < 0 || target < 0 || target >= peers.length) return;
    const before = direction === -1 ? peers[target] : peers[target + 1];
    parts.drop({ jobId, before: before ?? null });
  }

  return { dragged, begin, step };
}
