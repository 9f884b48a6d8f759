// Paints what uPlot does not: values that are no numbers, points beyond the edge, and the lane of markers.
import type uPlot from "uplot";
import type { PlacedMarker } from "./prepare-markers.ts";
import type { ClippedMark } from "./prepare-range.ts";
import type { NonFiniteMark } from "./prepare-series.ts";
import type { ChartColours } from "./series-colours.ts";

/** Height of the lane above the plot, CSS pixels. */
export const LANE = 14;
const MARK = 3.5;

export interface Marks {
  nonFinite: readonly NonFiniteMark[];
  clipped: readonly ClippedMark[];
  markers: readonly PlacedMarker[];
}

/** Called by uPlot after everything else is drawn. */
export function paintMarks(plot: uPlot, marks: Marks, colours: ChartColours): void {
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.lineWidth = 1.5 * ratio;
  paintNonFinite(plot, marks.nonFinite, colours, ratio);
  paintClipped(plot, marks.clipped, colours, ratio);
  paintLane(plot, marks.markers, colours, ratio);
  ctx.restore();
}

/** NaN: a cross on the bottom edge. Infinities: solid triangles on the edge that they left by. */
function paintNonFinite(
  plot: uPlot,
  marks: readonly NonFiniteMark[],
  colours: ChartColours,
  ratio: number,
): void {
  const { ctx, bbox } = plot;
  ctx.strokeStyle = colours.bad;
  ctx.fillStyle = colours.bad;
  const size = MARK * ratio;
  const lastLeft = { nan: -Infinity, "pos-inf": -Infinity, "neg-inf": -Infinity };
  for (const { x, kind } of marks) {
    const left = plot.valToPos(x, "x", true);
    // Marks that would cover each other are one mark; the chip has the count.
    if (left < bbox.left - 1 || left > bbox.left + bbox.width + 1) continue;
    if (left - lastLeft[kind] < size * 1.5) continue;
    lastLeft[kind] = left;
    const bottom = bbox.top + bbox.height - size - ratio;
    if (kind === "nan") {
      ctx.beginPath();
      ctx.moveTo(left - size, bottom - size);
      ctx.lineTo(left + size, bottom + size);
      ctx.moveTo(left + size, bottom - size);
      ctx.lineTo(left - size, bottom + size);
      ctx.stroke();
    } else {
      triangle(ctx, left, kind === "pos-inf" ? bbox.top + size : bottom, size, kind === "pos-inf");
      ctx.fill();
    }
  }
}

/** Points beyond the range: hollow triangles on the edge, with a count. */
function paintClipped(
  plot: uPlot,
  clipped: readonly ClippedMark[],
  colours: ChartColours,
  ratio: number,
): void {
  const { ctx, bbox } = plot;
  ctx.strokeStyle = colours.axis;
  ctx.fillStyle = colours.axis;
  ctx.font = `${12 * ratio}px sans-serif`;
  ctx.textBaseline = "middle";
  const size = MARK * ratio;
  for (const { x, side, count } of clipped) {
    const left = plot.valToPos(x, "x", true);
    const top = side === "above" ? bbox.top + size + ratio : bbox.top + bbox.height - size - ratio;
    triangle(ctx, left, top, size, side === "above");
    ctx.stroke();
    if (count > 1) {
      const isLate = left > bbox.left + bbox.width - 32 * ratio;
      ctx.textAlign = isLate ? "right" : "left";
      ctx.fillText(String(count), left + (isLate ? -2 : 2) * size, top);
    }
  }
}

function paintLane(
  plot: uPlot,
  markers: readonly PlacedMarker[],
  colours: ChartColours,
  ratio: number,
): void {
  const { ctx, bbox } = plot;
  const middle = bbox.top - (LANE / 2) * ratio;
  ctx.strokeStyle = colours.axis;
  ctx.fillStyle = colours.axis;
  ctx.font = `500 ${12 * ratio}px sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  const size = 4 * ratio;
  for (const { left, kind, markers: merged } of markers) {
    const centre = bbox.left + left * ratio;
    if (merged.length > 1) {
      ctx.fillText(String(merged.length), centre, middle);
      continue;
    }
    ctx.beginPath();
    if (kind === "checkpoint") {
      ctx.moveTo(centre, middle - size);
      ctx.lineTo(centre + size, middle);
      ctx.lineTo(centre, middle + size);
      ctx.lineTo(centre - size, middle);
      ctx.closePath();
      ctx.fill();
    } else if (kind === "change") {
      // A hand on the wheel: a solid flag on its pole.
      ctx.moveTo(centre - size / 2, middle + size);
      ctx.lineTo(centre - size / 2, middle - size);
      ctx.lineTo(centre + size, middle - size / 2);
      ctx.lineTo(centre - size / 2, middle);
      ctx.fill();
      ctx.stroke();
    } else if (kind === "fork") {
      // A stem that parts in two.
      ctx.moveTo(centre, middle + size);
      ctx.lineTo(centre, middle);
      ctx.lineTo(centre - size, middle - size);
      ctx.moveTo(centre, middle);
      ctx.lineTo(centre + size, middle - size);
      ctx.stroke();
    } else {
      // The start of an attempt: a bar with an arrow to the right.
      ctx.moveTo(centre - size / 2, middle - size);
      ctx.lineTo(centre - size / 2, middle + size);
      ctx.moveTo(centre - size / 2, middle - size / 2);
      ctx.lineTo(centre + size, middle);
      ctx.lineTo(centre - size / 2, middle + size / 2);
      ctx.stroke();
    }
  }
}

function triangle(
  ctx: CanvasRenderingContext2D,
  left: number,
  top: number,
  size: number,
  pointsUp: boolean,
): void {
  const tip = pointsUp ? -size : size;
  ctx.beginPath();
  ctx.moveTo(left, top + tip);
  ctx.lineTo(left + size, top - tip);
  ctx.lineTo(left - size, top - tip);
  ctx.closePath();
}
