// The x range that all charts of a page share while nobody zooms: the union of what they hold, grown calmly while live.
import { growLiveRange } from "./prepare-range.ts";

export class XDomain {
  readonly #extents = new Map<string, [number, number]>();
  readonly #onChange: () => void;
  #range: [number, number] | null = null;
  #isLive = false;

  /** @param onChange is told when the shared range has moved */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** null before any chart has data. */
  get range(): readonly [number, number] | null {
    return this.#range;
  }

  /** A chart says what it holds; null when it holds nothing. */
  report(chartId: string, extent: [number, number] | null): void {
    const known = this.#extents.get(chartId);
    if (extent === null) {
      // Its last extent stays: an unmounted chart does not shrink the axis of the others.
      return;
    }
    if (known !== undefined && known[0] === extent[0] && known[1] === extent[1]) return;
    this.#extents.set(chartId, extent);
    this.#update();
  }

  set live(isLive: boolean) {
    if (this.#isLive === isLive) return;
    this.#isLive = isLive;
    this.#update();
  }

  /** Another axis: everything is measured anew. */
  clear(): void {
    this.#extents.clear();
    this.#range = null;
  }

  #update(): void {
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (const extent of this.#extents.values()) {
      min = Math.min(min, extent[0]);
      max = Math.max(max, extent[1]);
    }
    if (min > max) return;
    const next: [number, number] = this.#isLive
      ? growLiveRange(this.#range, min, max)
      : [min, max > min ? max : min + 1];
    if (this.#range?.[0] === next[0] && this.#range[1] === next[1]) return;
    this.#range = next;
    this.#onChange();
  }
}
