// Places the marks of the lane above a plot: what people and rules did in its upper row, checkpoints in its lower one.
// Marks that would cover each other stand as one, which says what it holds: each kind with its count. Pure.

/** In the order in which they are told: what a person did is worth more than what the machine wrote meanwhile. */
export const MARKER_KINDS = ["change", "alert", "fork", "attempt", "checkpoint"] as const;
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
    return { from: left, to: left, markers: [marker] };
  };
  const row = (ofCheckpoints: boolean) =>
    merge(
      shown
        .filter(({ kind }) => (kind === "checkpoint") === ofCheckpoints)
        .sort((one, other) => one.x - other.x)
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
  return to > from ? [from - margin, to + margin] : null;
}

/** The marks that are drawn as one, by the pixels of the first and the last of them. */
interface Group {
  from: number;
  to: number;
  markers: Marker[];
}

/** From left to right: whoever reaches into the one before joins it, and that one may then reach further back. */
function merge(groups: readonly Group[]): Group[] {
  const apart: Group[] = [];
  for (const group of groups) {
    let current = group;
    for (let before = apart.at(-1); before !== undefined; before = apart.at(-1)) {
      if (rightOf(before) + FREE <= leftOf(current)) break;
      apart.pop();
      const markers = [...before.markers, ...current.markers];
      current = { from: before.from, to: current.to, markers };
    }
    apart.push(current);
  }
  return apart;
}

const centreOf = ({ from, to }: Group) => (from + to) / 2;
const rightOf = (group: Group) => centreOf(group) + widthOf(group) / 2;
const leftOf = (group: Group) => centreOf(group) - widthOf(group) / 2;

function countsOf({ markers }: Group): { kind: MarkerKind; count: number; width: number }[] {
  return MARKER_KINDS.flatMap((kind) => {
    const count = markers.reduce((sum, marker) => sum + Number(marker.kind === kind), 0);
    const counted = count > 1 ? COUNT_GAP + String(count).length * DIGIT : 0;
    return count === 0 ? [] : [{ kind, count, width: ICON + counted }];
  });
}

function widthOf(group: Group): number {
  if (group.markers.length === 1) return ICON;
  return countsOf(group).reduce((sum, { width }) => sum + width + PART_GAP, -PART_GAP);
}

function toPlaced(group: Group, row: number): PlacedMarker {
  const width = widthOf(group);
  const left = centreOf(group);
  let at = left - width / 2;
  const parts = countsOf(group).map(({ kind, count, width: own }) => {
    const part = { kind, count, left: at + ICON / 2 };
    at += own + PART_GAP;
    return part;
  });
  return { left, width, row, parts, markers: group.markers };
}
