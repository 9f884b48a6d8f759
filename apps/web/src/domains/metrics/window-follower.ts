// Follows the window that one curve wants to show; the old one stays on the canvas until the new one has come.
import type { SeriesWindow } from "@spotter/contract";
import type { SeriesStore, WatchedWindow } from "./series-store.ts";
import { type WindowRequest, windowKey } from "./window-request.ts";

export class WindowFollower {
  readonly #store: SeriesStore;
  readonly #onChange: () => void;
  #shown: WatchedWindow | null = null;
  #wanted: WatchedWindow | null = null;

  constructor(store: SeriesStore, onChange: () => void) {
    this.#store = store;
    this.#onChange = onChange;
  }

  /** What can be painted now. */
  get window(): SeriesWindow | null {
    return (this.#wanted?.window ? this.#wanted : this.#shown)?.window ?? null;
  }

  get error(): unknown {
    return (this.#wanted ?? this.#shown)?.error ?? null;
  }

  follow(request: WindowRequest): void {
    const target = this.#wanted ?? this.#shown;
    if (target !== null && windowKey(target.request) === windowKey(request)) return;
    this.#wanted?.release();
    const wanted: WatchedWindow = this.#store.watch(request, () => {
      this.#promote();
      this.#onChange();
    });
    this.#wanted = wanted;
    this.#promote();
    if (wanted.window !== null) this.#onChange();
  }

  release(): void {
    this.#wanted?.release();
    this.#shown?.release();
    this.#wanted = null;
    this.#shown = null;
  }

  #promote(): void {
    if (this.#wanted === null || this.#wanted.window === null) return;
    this.#shown?.release();
    this.#shown = this.#wanted;
    this.#wanted = null;
  }
}
