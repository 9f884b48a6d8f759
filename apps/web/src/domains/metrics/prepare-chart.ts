// Everything a chart decides before it paints, as one pure step: windows and settings in, columns and marks out.
import type { SeriesWindow } from "@spotter/contract";
import { boundsOf, drawableLow, type Extremes, scaleColumns, within } from "./prepare-bounds.ts";
import { type ClippedMark, computeYRange, findClipped, type YRange } from "./prepare-range.ts";
import { chooseScale, type YMode, type YScale } from "./prepare-scale.ts";
import {
  alignSeries,
  countShown,
  type NonFiniteMark,
  type PreparedSeries,
  prepareSeries,
  type Values,
  type XAxis,
} from "./prepare-series.ts";
import { smoothSeries } from "./prepare-smoothing.ts";

/** One curve as it comes. */
export interface ChartLine {
  id: string;
  label: string;
  /** Place in the table of series colours, from 0; a run keeps its slot everywhere. */
  slot: number;
  /** Points that a later attempt cut off: drawn faint. */
  faint: boolean;
  /** The curve of a run that this page's run began in: dashed, in the run's own colour. */
  ancestor?: boolean;
  /** Lowest and highest value of the runs whose mean it is; its band is the mean's interval then. */
  extremes?: Extremes;
  window: SeriesWindow;
  /** Unix seconds that the relative axis counts from. */
  startedAt: number;
}

export interface ChartSettings {
  axis: XAxis;
  smoothing: number;
  /** Distance over which the smoothing's weight counts, by line; from the whole series, so that zoom changes nothing. */
  smoothingUnit?: ReadonlyMap<string, number>;
  yMode: YMode;
  fitAll: boolean;
}

/** Where a line's columns are in the data; x is column 0. */
export interface LineColumns {
  line: ChartLine;
  low: number | null;
  high: number | null;
  /** Unsmoothed mean, drawn underneath where there is no band. */
  raw: number | null;
  /** The curve itself, smoothed where that is wished. */
  main: number;
  prepared: PreparedSeries;
}

export interface PreparedChart {
  data: [number[], ...Values[]];
  columns: LineColumns[];
  scale: YScale;
  marks: NonFiniteMark[];
  /** First and last x of all lines. */
  extent: [number, number] | null;
  /** Charts of the same structure can take each other's data without being made anew. */
  structure: string;
}

export function prepareChart(lines: readonly ChartLine[], settings: ChartSettings): PreparedChart {
  const parts = lines.map((line) => prepareLine(line, settings));
  const scale = chooseScale(
    settings.yMode,
    parts.flatMap(({ line, prepared }) => scaleColumns(line, prepared.min, prepared.max)),
  );
  for (const { line, values, hasBand } of parts)
    if (hasBand) values[0] = drawableLow(line, values[0] ?? [], scale);
  const aligned = alignSeries(parts.map(({ prepared, values }) => ({ x: prepared.x, values })));
  const columns: LineColumns[] = [];
  let next = 1;
  for (const part of parts) {
    columns.push({
      line: part.line,
      prepared: part.prepared,
      low: part.hasBand ? next++ : null,
      high: part.hasBand ? next++ : null,
      raw: part.hasRaw ? next++ : null,
      main: next++,
    });
  }
  const marks = parts.flatMap(({ prepared }) => prepared.marks);
  return {
    data: [aligned.x, ...aligned.values],
    columns,
    scale,
    marks,
    extent: uniteExtents(parts.map(({ prepared }) => prepared.extent)),
    structure: structureOf(columns, scale),
  };
}

/** The y range of what `xRange` shows, and what lies outside it. */
export function prepareYRange(
  chart: PreparedChart,
  xRange: readonly [number, number],
  fitAll: boolean,
  plotWidth: number,
): { range: YRange; clipped: ClippedMark[] } {
  const x = chart.data[0];
  const indices = [lowerBound(x, xRange[0]), lowerBound(x, xRange[1] + 1e-9) - 1] as const;
  const inputs = chart.columns.map(({ line, low, high, raw, main }) => {
    const input = {
      low: chart.data[low ?? raw ?? main] as Values,
      high: chart.data[high ?? raw ?? main] as Values,
    };
    const bounds = boundsOf(line, chart.scale);
    if (bounds === null) return input;
    return { low: within(input.low, bounds), high: within(input.high, bounds) };
  });
  // Nothing inside: the line between the neighbours may still cross the view.
  const shown = indices[1] < indices[0] ? ([indices[1], indices[0]] as const) : indices;
  const range = computeYRange(inputs, shown, chart.scale, fitAll);
  if (!range.clipped) return { range, clipped: [] };
  const mergeDistance = ((xRange[1] - xRange[0]) / Math.max(plotWidth, 1)) * 12;
  const clipped = inputs.flatMap((input) => findClipped(x, input, range, mergeDistance));
  return {
    range,
    clipped: clipped.filter(({ x: place }) => place >= xRange[0] && place <= xRange[1]),
  };
}

/** The footer's two numbers over all lines. */
export function countPoints(
  chart: PreparedChart,
  axis: XAxis,
  xRange: readonly [number, number] | null,
): { shown: number; points: number } {
  const total = { shown: 0, points: 0 };
  for (const { line } of chart.columns) {
    const one = countShown(line.window.buckets, axis, line.startedAt, xRange);
    total.shown += one.shown;
    total.points += one.points;
  }
  return total;
}

/** Values that are no numbers, of what is shown. */
export function countMarks(
  marks: readonly NonFiniteMark[],
  xRange: readonly [number, number],
): number {
  return marks
    .filter(({ x }) => x >= xRange[0] && x <= xRange[1])
    .reduce((sum, { count }) => sum + count, 0);
}

/** Whether the view shows no point, and no line crosses it either. */
export function showsNothing(chart: PreparedChart, [from, to]: readonly [number, number]): boolean {
  return chart.columns.every(({ prepared: { x, mean, marks } }) => {
    const first = lowerBound(x, from);
    const end = lowerBound(x, to + 1e-9);
    if (marks.some((mark) => mark.x >= from && mark.x <= to)) return false;
    if (end > first) return mean.slice(first, end).every((value) => value === null);
    return (mean[first - 1] ?? null) === null || (mean[first] ?? null) === null;
  });
}

/** Index of the first element that is not below `value`. */
export function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Points that stand alone between gaps: a line through them would be invisible. */
export function isolatedIndices(values: Values): number[] {
  const isolated: number[] = [];
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === null || value === undefined) continue;
    if (breaks(values, index, -1) && breaks(values, index, 1)) isolated.push(index);
  }
  return isolated;
}

function breaks(values: Values, index: number, direction: 1 | -1): boolean {
  let near = index + direction;
  while (near >= 0 && near < values.length && values[near] === undefined) near += direction;
  return values[near] === null || values[near] === undefined;
}

function prepareLine(line: ChartLine, settings: ChartSettings) {
  const prepared = prepareSeries(line.window.buckets, settings.axis, line.startedAt);
  const unit = settings.smoothingUnit?.get(line.id) ?? prepared.medianSpacing;
  const isSmoothed = settings.smoothing > 0 && !line.faint;
  const main = isSmoothed
    ? smoothSeries(prepared.x, prepared.mean, settings.smoothing, unit)
    : prepared.mean;
  const hasBand = prepared.hasBand && !line.faint;
  const hasRaw = isSmoothed && !hasBand;
  const values: Values[] = [
    ...(hasBand ? [prepared.min, prepared.max] : []),
    ...(hasRaw ? [prepared.mean] : []),
    main,
  ];
  return { line, prepared, values, hasBand, hasRaw };
}

function structureOf(columns: readonly LineColumns[], scale: YScale): string {
  const lines = columns.map(
    ({ line, low, raw }) =>
      `${line.id}:${line.slot}:${line.faint ? "f" : ""}${line.ancestor ? "a" : ""}${low === null ? "" : "b"}${raw === null ? "" : "r"}`,
  );
  return `${scale.kind}${scale.kind === "symlog" ? scale.threshold : ""};${lines.join(",")}`;
}

function uniteExtents(extents: readonly ([number, number] | null)[]): [number, number] | null {
  let united: [number, number] | null = null;
  for (const extent of extents) {
    if (extent === null) continue;
    united =
      united === null
        ? [extent[0], extent[1]]
        : [Math.min(united[0], extent[0]), Math.max(united[1], extent[1])];
  }
  return united;
}
