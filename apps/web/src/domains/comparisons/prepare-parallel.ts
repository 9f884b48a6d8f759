// Parallel coordinates: one axis a config key that differs or a metric, one line a run, and the parts of axes that a
// person has marked. Pure: places are shares of an axis, from 0 to 1; it knows nothing of pixels.
import type { ComparedMetric, ComparisonReport, MetricValue } from "@spotter/contract";

export interface ParallelAxis {
  key: string;
  kind: "config" | "metric";
  scale: "linear" | "log" | "words";
  /** What stands at which place: the ends of a scale, or every word. */
  ticks: readonly { place: number; text: string }[];
}
export interface ParallelLine {
  runId: number;
  /** By axis; null where the run has no value there. */
  places: readonly (number | null)[];
  texts: readonly string[];
}
export interface Parallel {
  axes: ParallelAxis[];
  lines: ParallelLine[];
  /** Axes that there would be besides. */
  numLeftOut: number;
}
/** A marked part of an axis. */
export type Brush = readonly [low: number, high: number];
export type Brushes = Readonly<Record<string, Brush>>;

const MAX_CONFIG_AXES = 6;
const MAX_METRIC_AXES = 4;
/** Learning rates and the like: values that span more than this are spread by their powers of ten. */
const LOG_RATIO = 50;
const WHOLE: Brush = [0, 1];

interface Column {
  key: string;
  kind: ParallelAxis["kind"];
  texts: readonly (string | null)[];
}

/** @param write writes a metric's value as the page does */
export function prepareParallel(
  report: Pick<ComparisonReport, "runs" | "config" | "metrics" | "metric" | "value">,
  write: (name: string, value: MetricValue) => string,
): Parallel {
  const config = report.config
    .filter(({ differs, is_seed }) => differs && !is_seed)
    .map(({ key, values }): Column => ({ key, kind: "config", texts: values }));
  const metrics = metricsFirst(report).map((metric): Column => {
    const values = report.runs.map(({ id }) => readingOf(metric, id, report.value));
    const texts = values.map((value) => (value === null ? null : String(value)));
    return { key: metric.name, kind: "metric", texts };
  });
  const columns = [...config.slice(0, MAX_CONFIG_AXES), ...metrics.slice(0, MAX_METRIC_AXES)];
  const drawn = columns.map((column) => drawColumn(column, write));
  return {
    axes: drawn.map(({ axis }) => axis),
    lines: report.runs.map(({ id }, index) => ({
      runId: id,
      places: drawn.map(({ places }) => places[index] ?? null),
      texts: drawn.map(({ words }) => words[index] ?? "–"),
    })),
    numLeftOut: config.length + metrics.length - columns.length,
  };
}

/** Runs whose line passes through every marked part; a run without a value there does not. */
export function insideBrushes({ axes, lines }: Parallel, brushes: Brushes): number[] {
  return lines
    .filter(({ places }) =>
      axes.every(({ key }, index) => {
        const brush = brushes[key];
        const place = places[index] ?? null;
        if (brush === undefined) return true;
        return place !== null && place >= brush[0] - 1e-9 && place <= brush[1] + 1e-9;
      }),
    )
    .map(({ runId }) => runId);
}

/** One end of an axis's mark moved; ends never pass each other, and a mark of everything is none. */
export function moveEnd(brushes: Brushes, key: string, end: 0 | 1, to: number): Brushes {
  const [low, high] = brushes[key] ?? WHOLE;
  const place = Math.min(1, Math.max(0, to));
  return setBrush(
    brushes,
    key,
    end === 0 ? [Math.min(place, high), high] : [low, Math.max(place, low)],
  );
}

export function setBrush(brushes: Brushes, key: string, brush: Brush | null): Brushes {
  const { [key]: _, ...others } = brushes;
  if (brush === null || (brush[0] <= 0 && brush[1] >= 1)) return others;
  return { ...others, [key]: brush };
}

/** What the end of a mark stands at, in the axis's own terms. */
export function textAt(
  axis: ParallelAxis,
  lines: readonly ParallelLine[],
  index: number,
  place: number,
): string {
  const near = lines
    .flatMap(({ places, texts }) => {
      const own = places[index] ?? null;
      return own === null ? [] : [{ distance: Math.abs(own - place), text: texts[index] ?? "" }];
    })
    .sort((a, b) => a.distance - b.distance)[0];
  return near?.text ?? axis.ticks[0]?.text ?? "";
}

function metricsFirst({
  metrics,
  metric,
}: Pick<ComparisonReport, "metrics" | "metric">): ComparedMetric[] {
  const judged = metrics.filter(({ name, direction }) => name === metric || direction !== null);
  return judged.toSorted((a, b) => Number(b.name === metric) - Number(a.name === metric));
}

function readingOf(
  metric: ComparedMetric,
  runId: number,
  which: "last" | "best",
): MetricValue | null {
  const reading = metric.readings.find(({ run_id }) => run_id === runId);
  return (which === "best" ? reading?.best : undefined) ?? reading?.last?.value ?? null;
}

function drawColumn(
  { key, kind, texts }: Column,
  write: (name: string, value: MetricValue) => string,
): { axis: ParallelAxis; places: (number | null)[]; words: string[] } {
  const numbers = texts.map((text) =>
    text === null || text.trim() === "" ? Number.NaN : Number(text),
  );
  const known = texts.filter((text) => text !== null);
  const isNumber = (text: string) => text.trim() !== "" && Number.isFinite(Number(text));
  const isNumeric = kind === "metric" || known.every(isNumber);
  if (!isNumeric) return drawWords(key, kind, texts);
  const finite = numbers.filter(Number.isFinite);
  const [min, max] = [Math.min(...finite), Math.max(...finite)];
  const isLog = min > 0 && max / min >= LOG_RATIO;
  const scaled = (value: number) => (isLog ? Math.log(value) : value);
  const span = scaled(max) - scaled(min);
  const say = (text: string) => (kind === "metric" ? write(key, toWire(Number(text))) : text);
  return {
    axis: {
      ...{ key, kind, scale: isLog ? "log" : "linear" },
      ticks:
        finite.length === 0
          ? []
          : span === 0
            ? [{ place: 0.5, text: say(String(min)) }]
            : [
                { place: 0, text: say(String(min)) },
                { place: 1, text: say(String(max)) },
              ],
    },
    places: numbers.map((number) => {
      if (!Number.isFinite(number)) return null;
      return span === 0 ? 0.5 : (scaled(number) - scaled(min)) / span;
    }),
    words: texts.map((text) => (text === null ? "–" : say(text))),
  };
}

function drawWords(key: string, kind: Column["kind"], texts: readonly (string | null)[]) {
  const words = [...new Set(texts.filter((text) => text !== null))];
  const placeOf = (word: string) =>
    words.length === 1 ? 0.5 : words.indexOf(word) / (words.length - 1);
  return {
    axis: {
      ...{ key, kind, scale: "words" as const },
      ticks: words.map((word) => ({ place: placeOf(word), text: word })),
    },
    places: texts.map((text) => (text === null ? null : placeOf(text))),
    words: texts.map((text) => text ?? "–"),
  };
}

function toWire(value: number): MetricValue {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
}
