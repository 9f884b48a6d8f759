// Places the marks of the lane above a plot: what people and rules did in its upper row, checkpoints in its lower one.
// Marks that would cover each other stand as one, which says what it holds: each kind with its count. Pure.

/** By their worth, where not all can be told: what a person did before what the machine wrote meanwhile. */
export const MARKER_KINDS = ["change", "alert", "fork", "attempt", "checkpoint"] as const;
/** As they follow each other at one step: a run begins, what is changed is in force, and rules look at what came of it. */
const AT_ONE_STEP: readonly MarkerKind[] = ["fork", "attempt", "change", "alert", "checkpoint"];
export type MarkerKind = (typeof MARKER_KINDS)[number];

export interface Marker {
  x: number;
  kind: MarkerKind;
  /** What the tip says of it. */
  label: string;
}

/** One kind inside a placed mark, and where its icon stands, in pixels from the plot's left edge. */
export interface MarkerPart {
  kind: MarkerKind;
  count: number;
  left: number;
}

export interface PlacedMarker {
  /** Centre, in pixels from the plot's left edge. */
  left: number;
  width: number;
  /** Of the lane, from the top. */
  row: number;
  parts: MarkerPart[];
  markers: Marker[];
}

/** Height of one row, CSS pixels. */
export const LANE_ROW = 14;
const ICON = 9;
/** Between an icon and its count, and then to the next icon. */
const COUNT_GAP = 2;
const PART_GAP = 4;
const DIGIT = 7;
/** From an icon's middle to its count. */
export const COUNT_LEFT = ICON / 2 + COUNT_GAP;
/** Between two marks. */
const FREE = 3;

/** A live change lies where its own checkpoint lies, so checkpoints have a row of their own. */
export function numRows(markers: readonly Marker[]): number {
  const hasCheckpoints = markers.some(({ kind }) => kind === "checkpoint");
  return hasCheckpoints && markers.some(({ kind }) => kind !== "checkpoint") ? 2 : 1;
}

export function placeMarkers(
  markers: readonly Marker[],
  range: readonly [number, number],
  width: number,
): PlacedMarker[] {
  const span = range[1] - range[0];
  if (span <= 0) return [];
  const shown = markers.filter(({ x }) => x >= range[0] && x <= range[1]);
  const place = (marker: Marker): Group => {
    const left = ((marker.x - range[0]) / span) * width;
    return { from: left, to: left, markers: [marker], counts: new Map([[marker.kind, 1]]) };
  };
  const row = (ofCheckpoints: boolean) =>
    merge(
      shown
        .filter(({ kind }) => (kind === "checkpoint") === ofCheckpoints)
        .sort(
          (one, other) =>
            one.x - other.x || AT_ONE_STEP.indexOf(one.kind) - AT_ONE_STEP.indexOf(other.kind),
        )
        .map(place),
    );
  const lowest = numRows(markers) - 1;
  return [
    ...row(false).map((group) => toPlaced(group, 0)),
    ...row(true).map((group) => toPlaced(group, lowest)),
  ];
}

/** The mark at a place of the lane; `reach` is how far beside it still counts. */
export function markAt(
  placed: readonly PlacedMarker[],
  left: number,
  top: number,
  reach: number,
): PlacedMarker | null {
  let nearest: PlacedMarker | null = null;
  let least = reach;
  for (const mark of placed) {
    const aside = Math.max(0, Math.abs(mark.left - left) - mark.width / 2);
    const above = Math.max(0, Math.abs((mark.row + 0.5) * LANE_ROW - top) - LANE_ROW / 2);
    const distance = aside + above;
    if (distance > least || (nearest !== null && distance === least)) continue;
    [nearest, least] = [mark, distance];
  }
  return nearest;
}

/** Where to look to see the marks of one apart; null where there is nothing to tell apart. */
export function rangeToOpen(mark: PlacedMarker): [number, number] | null {
  const places = mark.markers.map(({ x }) => x);
  const [from, to] = [Math.min(...places), Math.max(...places)];
  const margin = (to - from) * 0.15;
  // Nothing lies before the first step.
  const least = Math.min(from, 0);
  return to > from ? [Math.max(least, from - margin), to + margin] : null;
}

/** The marks that are drawn as one, by the pixels of the first and the last of them. */
interface Group {
  from: number;
  to: number;
  markers: Marker[];
  counts: Map<MarkerKind, number>;
}

/** From left to right: whoever reaches into the one before joins it, and that one may then reach further back. */
function merge(groups: readonly Group[]): Group[] {
  const apart: Group[] = [];
  for (const group of groups) {
    let current = group;
    for (let before = apart.at(-1); before !== undefined; before = apart.at(-1)) {
      if (rightOf(before) + FREE <= leftOf(current)) break;
      apart.pop();
      current = join(before, current);
    }
    apart.push(current);
  }
  return apart;
}

/** Into the one before, in place: of thousands of checkpoints none may be copied at every step. */
function join(before: Group, next: Group): Group {
  before.to = next.to;
  for (const marker of next.markers) before.markers.push(marker);
  for (const [kind, count] of next.counts)
    before.counts.set(kind, (before.counts.get(kind) ?? 0) + count);
  return before;
}

/** The first icon never stands left of the plot. */
function centreOf(group: Group): number {
  return Math.max((group.from + group.to) / 2, (widthOf(group) - ICON) / 2);
}
const rightOf = (group: Group) => centreOf(group) + widthOf(group) / 2;
const leftOf = (group: Group) => centreOf(group) - widthOf(group) / 2;

const partWidth = (count: number) =>
  ICON + (count > 1 ? COUNT_GAP + String(count).length * DIGIT : 0);

function widthOf({ counts }: Group): number {
  let width = -PART_GAP;
  for (const count of counts.values()) width += partWidth(count) + PART_GAP;
  return width;
}

function toPlaced(group: Group, row: number): PlacedMarker {
  const width = widthOf(group);
  const left = centreOf(group);
  let at = left - width / 2;
  // From left to right each kind where its first one lies: an icon left of another one is no later than it.
  const parts = [...group.counts].map(([kind, count]) => {
    const part = { kind, count, left: at + ICON / 2 };
    at += partWidth(count) + PART_GAP;
    return part;
  });
  return { left, width, row, parts, markers: group.markers };
}
