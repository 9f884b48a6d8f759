// Tells uPlot how a prepared chart looks: one option object for each structure and theme.
import type uPlot from "uplot";
import {
  formatDecades,
  formatXTicks,
  formatYTicks,
  STEP_INCREMENTS,
  TIME_INCREMENTS,
} from "./prepare-axis.ts";
import { isolatedIndices, type PreparedChart } from "./prepare-chart.ts";
import { decadeTicks } from "./prepare-scale.ts";
import type { Values, XAxis } from "./prepare-series.ts";
import { type ChartColours, lineStyle, withAlpha } from "./series-colours.ts";

export interface OptionsInput {
  chart: PreparedChart;
  axis: XAxis;
  /** Metric whose values the y axis shows. */
  name: string;
  colours: ChartColours;
  locale: string;
  width: number;
  height: number;
  /** Of the lane of marks above the plot. */
  laneHeight: number;
  font: string;
  xRange(): readonly [number, number];
  yRange(): { min: number; max: number };
}

const LINE = 1.5;
const BAND_ALPHA = 0.16;
const RAW_ALPHA = 0.3;
const FAINT_ALPHA = 0.35;
const ANCESTOR_ALPHA = 0.6;
const ANCESTOR_DASH = [4, 3];
/** With more room than this for each point, points are drawn as dots too. */
const DOT_SPACING = 20;

/** Everything but cursor and hooks, which belong to the canvas that is made of it. */
export function plotOptions(
  input: OptionsInput,
): Pick<
  uPlot.Options,
  "width" | "height" | "series" | "bands" | "scales" | "axes" | "padding" | "legend" | "pxAlign"
> {
  const { chart, colours } = input;
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  for (const { line, low, high, raw } of chart.columns) {
    const { colour, dash } = lineStyle(colours, line.slot);
    if (low !== null && high !== null) {
      series.push({ points: { show: false } }, { points: { show: false } });
      bands.push({ series: [high, low], fill: withAlpha(colour, BAND_ALPHA) });
    }
    if (raw !== null)
      series.push({ stroke: withAlpha(colour, RAW_ALPHA), width: LINE, points: { show: false } });
    series.push({
      stroke: line.faint
        ? withAlpha(colour, FAINT_ALPHA)
        : line.ancestor
          ? withAlpha(colour, ANCESTOR_ALPHA)
          : colour,
      width: LINE,
      dash: line.ancestor ? ANCESTOR_DASH : dash,
      points: dots(colour),
    });
  }
  return {
    width: input.width,
    height: input.height,
    series,
    bands,
    scales: scalesOf(input),
    axes: [xAxisOf(input), yAxisOf(input)],
    // Room for half of the last tick's text.
    padding: [input.laneHeight, 20, 0, 0],
    legend: { show: false },
    pxAlign: 0,
  };
}

function scalesOf({ chart, xRange, yRange }: OptionsInput): uPlot.Scales {
  const distribution = chart.scale.kind === "log" ? 3 : chart.scale.kind === "symlog" ? 4 : 1;
  return {
    x: { time: false, range: () => [...xRange()] as uPlot.Range.MinMax },
    y: {
      distr: distribution as uPlot.Scale.Distr,
      ...(chart.scale.kind === "symlog" ? { asinh: chart.scale.threshold } : {}),
      range: () => {
        const { min, max } = yRange();
        return [min, max];
      },
    },
  };
}

function xAxisOf({ axis, colours, locale, font }: OptionsInput): uPlot.Axis {
  return {
    font,
    stroke: colours.axis,
    size: 24,
    gap: 4,
    space: axis === "step" ? 56 : 72,
    incrs: axis === "step" ? STEP_INCREMENTS : TIME_INCREMENTS,
    grid: { show: false },
    ticks: { stroke: colours.grid, width: 1, size: 4 },
    border: { show: true, stroke: colours.grid, width: 1 },
    values: (_plot, splits, _axis, _space, increment) =>
      formatXTicks(axis, splits, increment, locale),
  };
}

function yAxisOf({ chart, name, colours, font }: OptionsInput): uPlot.Axis {
  const isLinear = chart.scale.kind === "linear";
  return {
    font,
    stroke: colours.axis,
    size: 56,
    gap: 4,
    space: 36,
    grid: { stroke: withAlpha(colours.grid, 0.7), width: 1 },
    ticks: { show: false },
    ...(isLinear
      ? {
          values: (_plot: uPlot, splits: number[], _axis: number, _space: number, step: number) =>
            formatYTicks(name, splits, step),
        }
      : {
          splits: (_plot: uPlot, _axis: number, min: number, max: number) =>
            decadeTicks(chart.scale, min, max, 5),
          filter: (_plot: uPlot, splits: number[]) => splits,
          values: (_plot: uPlot, splits: number[]) => formatDecades(name, splits),
        }),
  };
}

/** Dots where points are few; a lone point between two gaps always, for no line can show it. */
function dots(colour: string): uPlot.Series.Points {
  return {
    show: (plot, _series, first, last) =>
      last - first + 1 <= 1 || plot.bbox.width / devicePixelRatio / (last - first) > DOT_SPACING,
    filter: (plot, series, show) => {
      if (show) return null;
      const isolated = isolatedIndices((plot.data[series] ?? []) as Values);
      return isolated.length > 0 ? isolated : null;
    },
    size: 4,
    width: 0,
    fill: colour,
    stroke: colour,
  };
}
