// Paints what uPlot does not: values that are no numbers, points beyond the edge, and the lane of markers.
import type uPlot from "uplot";
import { MARK_SHAPES } from "./mark-shapes.ts";
import { COUNT_LEFT, LANE_ROW, type MarkerKind, type PlacedMarker } from "./prepare-markers.ts";
import type { ClippedMark } from "./prepare-range.ts";
import type { NonFiniteMark } from "./prepare-series.ts";
import type { ChartColours } from "./series-colours.ts";

const MARK = 3.5;

export interface Marks {
  nonFinite: readonly NonFiniteMark[];
  clipped: readonly ClippedMark[];
  markers: readonly PlacedMarker[];
  /** Of the lane above the plot. */
  numRows: number;
}

/** Called by uPlot after everything else is drawn. */
export function paintMarks(plot: uPlot, marks: Marks, colours: ChartColours): void {
  const { ctx } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.lineWidth = 1.5 * ratio;
  paintNonFinite(plot, marks.nonFinite, colours, ratio);
  paintClipped(plot, marks.clipped, colours, ratio);
  paintLane(plot, marks, colours, ratio);
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

/** The kinds in the order of the lane, each with its icon, and its count where there are several. */
function paintLane(plot: uPlot, marks: Marks, colours: ChartColours, ratio: number): void {
  const { ctx, bbox } = plot;
  const top = bbox.top - marks.numRows * LANE_ROW * ratio;
  ctx.font = `500 ${12 * ratio}px sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const { row, parts, markers } of marks.markers) {
    const middle = top + (row + 0.5) * LANE_ROW * ratio;
    for (const { kind, count, left } of parts) {
      const centre = bbox.left + left * ratio;
      const colour =
        kind === "alert" ? colours.bad : kind === "checkpoint" ? colours.axis : colours.text;
      ctx.fillStyle = colour;
      ctx.strokeStyle = colour;
      paintShape(ctx, kind, centre, middle, ratio);
      if (count > 1 && markers.length > 1)
        ctx.fillText(String(count), centre + COUNT_LEFT * ratio, middle);
    }
  }
}

const shapes = new Map<MarkerKind, Path2D>();
function paintShape(
  ctx: CanvasRenderingContext2D,
  kind: MarkerKind,
  centre: number,
  middle: number,
  ratio: number,
): void {
  const { path, isFilled } = MARK_SHAPES[kind];
  let shape = shapes.get(kind);
  if (shape === undefined) {
    shape = new Path2D(path);
    shapes.set(kind, shape);
  }
  ctx.save();
  ctx.translate(centre, middle);
  ctx.scale(ratio, ratio);
  ctx.lineWidth = isFilled ? 1 : 1.5;
  if (isFilled) ctx.fill(shape);
  ctx.stroke(shape);
  ctx.restore();
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
