// Places the marks of the lane above a plot: checkpoints, starts of attempts, forks, changes by people; neighbours merge into a count.

export interface Marker {
  x: number;
  kind: "checkpoint" | "attempt" | "fork" | "change";
  /** What the tip says of it. */
  label: string;
}

export interface PlacedMarker {
  /** Pixels from the plot's left edge. */
  left: number;
  /** `many` when different kinds were merged. */
  kind: Marker["kind"] | "many";
  markers: Marker[];
}

/** Closer than this they would cover each other. */
export const MERGE_PX = 12;

export function placeMarkers(
  markers: readonly Marker[],
  range: readonly [number, number],
  width: number,
): PlacedMarker[] {
  const span = range[1] - range[0];
  if (span <= 0) return [];
  const placed: PlacedMarker[] = [];
  const sorted = [...markers].sort((a, b) => a.x - b.x);
  for (const marker of sorted) {
    if (marker.x < range[0] || marker.x > range[1]) continue;
    const left = ((marker.x - range[0]) / span) * width;
    const previous = placed[placed.length - 1];
    if (previous === undefined || left - previous.left > MERGE_PX) {
      placed.push({ left, kind: marker.kind, markers: [marker] });
      continue;
    }
    previous.markers.push(marker);
    if (previous.kind !== marker.kind) previous.kind = "many";
  }
  return placed;
}
