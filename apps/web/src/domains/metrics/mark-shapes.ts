// The shapes of the lane's marks, once for the canvas and for the page: SVG paths around their middle, 4.5 px to each side.
import type { MarkerKind } from "./prepare-markers.ts";

export interface MarkShape {
  path: string;
  isFilled: boolean;
}

export const MARK_SHAPES: Record<MarkerKind, MarkShape> = {
  checkpoint: { path: "M0-4 4 0 0 4-4 0Z", isFilled: true },
  /** A hand on the wheel: a solid flag on its pole. */
  change: { path: "M-2.5 4.5V-4L3.5-2-2.5 0", isFilled: true },
  /** A stem that parts in two. */
  fork: { path: "M0 4V0L-4-4M0 0 4-4", isFilled: false },
  /** A bar with an arrow to the right. */
  attempt: { path: "M-2-4V4M-2-2.5 3.5 0-2 2.5", isFilled: false },
  alert: { path: "M0-4 4.5 4H-4.5Z", isFilled: true },
};
