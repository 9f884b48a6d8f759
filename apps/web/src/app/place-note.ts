// Where a note of the tour stands beside what it speaks of, always inside the window. Pure.
const WIDTH = 300;
const HEIGHT = 150;
const GAP = 12;

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function placeNote(
  target: Box,
  windowWidth: number,
  windowHeight: number,
  /** Where the page's own heading ends: a note beside the rail stays below it. */
  headBottom = 0,
): { left: number; top: number } {
  // Things of the left rail get their note on the right; things of the top bar below.
  const isRail = target.right < 240;
  const left = isRail ? target.right + GAP : target.left;
  const top = isRail ? Math.max(target.top - GAP, headBottom + GAP) : target.bottom + GAP;
  return {
    left: Math.max(GAP, Math.min(left, windowWidth - WIDTH - GAP)),
    top: Math.max(GAP, Math.min(top, windowHeight - HEIGHT - GAP)),
  };
}
