// Where parallel axes stand: side by side on a screen, one below the other on a phone. Pure pixels.

export interface ParallelLayout {
  isUpright: boolean;
  width: number;
  height: number;
  /** The point of an axis at a place from 0 to 1. */
  point(axis: number, place: number): { x: number; y: number };
  /** The place on any axis that a pointer is at. */
  placeOf(x: number, y: number): number;
  /** Characters that an axis's name has room for. */
  labelLength: number;
}

const PLOT_HEIGHT = 232;
/** Room for an axis's name, and beneath it what stands at its upper end. */
const TOP = 48;
const BOTTOM = 28;
const SIDE = 72;
const ROW = 84;
const ROW_TOP = 40;
const ROW_SIDE = 14;
/** Of the 12 px type, on average. */
const CHARACTER_PX = 7;

export function layOut(numAxes: number, width: number, isNarrow: boolean): ParallelLayout {
  return isNarrow ? asRows(numAxes, width) : sideBySide(numAxes, width);
}

function sideBySide(numAxes: number, width: number): ParallelLayout {
  const gap = numAxes < 2 ? 0 : (width - 2 * SIDE) / (numAxes - 1);
  return {
    isUpright: true,
    width,
    height: TOP + PLOT_HEIGHT + BOTTOM,
    point: (axis, place) => ({ x: SIDE + axis * gap, y: TOP + (1 - place) * PLOT_HEIGHT }),
    placeOf: (_, y) => within(1 - (y - TOP) / PLOT_HEIGHT),
    labelLength: Math.max(
      6,
      Math.floor((gap === 0 ? width : Math.min(gap, 2 * SIDE)) / CHARACTER_PX) - 1,
    ),
  };
}

function asRows(numAxes: number, width: number): ParallelLayout {
  const length = Math.max(1, width - 2 * ROW_SIDE);
  return {
    isUpright: false,
    width,
    height: ROW_TOP + (numAxes - 1) * ROW + 36,
    point: (axis, place) => ({ x: ROW_SIDE + place * length, y: ROW_TOP + axis * ROW }),
    placeOf: (x) => within((x - ROW_SIDE) / length),
    labelLength: Math.floor(width / CHARACTER_PX),
  };
}

function within(place: number): number {
  return Math.min(1, Math.max(0, place));
}

/** The line of a run, in pieces where it has no value on an axis; a lone value is a dot of no length. */
export function pathOf(layout: ParallelLayout, places: readonly (number | null)[]): string {
  let path = "";
  let isDown = false;
  for (const [axis, place] of places.entries()) {
    if (place === null) {
      isDown = false;
      continue;
    }
    const { x, y } = layout.point(axis, place);
    const isAlone = !isDown && (places[axis + 1] ?? null) === null;
    path += `${isDown ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}${isAlone ? "h0.01" : ""}`;
    isDown = true;
  }
  return path;
}
