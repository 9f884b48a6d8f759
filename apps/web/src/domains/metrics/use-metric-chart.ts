// One chart's life: it becomes visible, follows its curves, is painted when something has changed, and ends.
import { computed, onBeforeUnmount, onMounted, type Ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { ChartCanvas, type PointerHandlers } from "./chart-canvas.ts";
import { ChartLines, type LineSpec } from "./chart-lines.ts";
import { type ChartPage, useChartPage } from "./chart-page.ts";
import { type Nearness, watchNearness } from "./on-screen.ts";
import { mergeBands } from "./prepare-bands.ts";
import {
  countMarks,
  countPoints,
  type PreparedChart,
  prepareChart,
  prepareYRange,
  showsNothing,
} from "./prepare-chart.ts";
import { type Marker, numRows, type PlacedMarker, placeMarkers } from "./prepare-markers.ts";

export interface MetricChartInput {
  readonly chartId: string;
  readonly name: string;
  readonly lines: readonly LineSpec[];
  readonly markers: readonly Marker[];
  readonly fitAll: boolean;
}

/** What the last paint showed, for the texts around the canvas. */
export interface Painted {
  chart: PreparedChart;
  xRange: readonly [number, number];
  shown: number;
  points: number;
  numNonFinite: number;
  numClipped: number;
  isClipped: boolean;
  /** Nothing is drawn in the range that is shown. */
  isBare: boolean;
  placed: readonly PlacedMarker[];
  /** Rows of the lane of marks. */
  numRows: number;
  plotLeft: number;
  plotWidth: number;
}

export interface Pointer {
  left: number;
  top: number;
  x: number;
  y: number;
}

interface Size {
  width: number;
  height: number;
}

const ZOOM_DEBOUNCE_MS = 150;

export function useMetricChart(host: Ref<HTMLElement | null>, input: MetricChartInput) {
  const page = useChartPage();
  const { locale } = useI18n();
  const painted = shallowRef<Painted | null>(null);
  const pointer = shallowRef<Pointer | null>(null);
  const failure = shallowRef<unknown>(null);
  const lines = new ChartLines(page, () => {
    failure.value = lines.failure;
    // The answer may tell that the whole series is short enough to be read whole. While a hand is still zooming, the
    // rest that it waits for decides instead.
    if (page.view.value.range === followedRange) follow();
    // A chart that is only near keeps its picture while points stream in, until it is about to be seen.
    if (nearness === "seen" || painted.value === null) markDirty();
    else isStale = true;
  });
  let nearness: Nearness = "far";
  let isStale = false;
  let followedRange: [number, number] | null = null;
  let canvas: ChartCanvas | null = null;
  let size: Size = { width: 0, height: 0 };
  const place = markerPlacer();
  const painter = {
    visible: false,
    paint: () => {
      if (host.value === null || size.width === 0) return;
      isStale = false;
      canvas ??= new ChartCanvas(host.value, pointerHandlers(page, input.chartId, pointer));
      painted.value =
        paintChart(page, canvas, lines, input, size, locale.value, place) ?? painted.value;
    },
  };
  const markDirty = () => page.frames.markDirty(painter);
  const follow = () => {
    followedRange = page.view.value.range;
    if (painter.visible && size.width > 0) lines.follow(input.lines, size.width);
  };
  const refresh = () => {
    follow();
    markDirty();
  };
  useChartLife(host, page, {
    onSize: (next) => {
      size = next;
      refresh();
    },
    onNearness: (next) => {
      const wasFar = nearness === "far";
      nearness = next;
      painter.visible = next !== "far";
      if (painter.visible && wasFar) refresh();
      if (next === "seen" && isStale) markDirty();
    },
    onRepaint: markDirty,
    onEnd: () => {
      page.frames.forget(painter);
      lines.release();
      canvas?.destroy();
    },
  });
  useFollowing(page, input, follow, markDirty);
  watch([page.colours, page.bands, locale, () => input.markers, () => input.fitAll], markDirty);
  watch(page.hover, (hover) => {
    if (hover?.chartId !== input.chartId && painter.visible) canvas?.showHover(hover?.x ?? null);
  });
  const isHovered = computed(() => page.hover.value?.chartId === input.chartId);
  return {
    ...{ page, painted, pointer, failure, isHovered, zoom: zoomOf(page) },
    canvas: () => canvas?.canvas ?? null,
  };
}

/** Prepares and paints once; null while no curve has come yet. */
function paintChart(
  page: ChartPage,
  canvas: ChartCanvas,
  followed: ChartLines,
  input: MetricChartInput,
  size: Size,
  locale: string,
  place: MarkerPlacer,
): Painted | null {
  const view = page.view.value;
  const { lines: single, units } = followed.lines();
  const bands = page.bands.value;
  const lines = bands === null ? single : mergeBands(single, bands, view.axis);
  if (lines.length === 0) return null;
  const chart = prepareChart(lines, { ...view, smoothingUnit: units, fitAll: input.fitAll });
  page.domain.report(input.chartId, chart.extent);
  const xRange = view.range ?? page.domain.range ?? chart.extent ?? [0, 1];
  const plotWidth = canvas.plotWidth;
  const { range, clipped } = prepareYRange(chart, xRange, input.fitAll, plotWidth);
  const placed = place(input.markers, xRange, plotWidth);
  const rows = numRows(input.markers);
  canvas.paint({
    chart,
    axis: view.axis,
    name: input.name,
    colours: page.colours.value,
    locale,
    ...size,
    xRange,
    yRange: range,
    marks: { nonFinite: chart.marks, clipped, markers: placed, numRows: rows },
  });
  return {
    chart,
    xRange,
    ...countPoints(chart, view.axis, view.range),
    numNonFinite: countMarks(chart.marks, xRange),
    numClipped: clipped.reduce((sum, mark) => sum + mark.count, 0),
    isClipped: range.clipped,
    isBare: showsNothing(chart, xRange),
    placed,
    numRows: rows,
    plotLeft: canvas.plotLeft,
    plotWidth,
  };
}

type MarkerPlacer = typeof placeMarkers;
/** Points stream in many times a second, and rarely move a mark: the same places stay the same list, and what shows it. */
function markerPlacer(): MarkerPlacer {
  let last: Parameters<MarkerPlacer> | null = null;
  let placed: PlacedMarker[] = [];
  return (markers, range, width) => {
    const isSame =
      last !== null &&
      last[0] === markers &&
      last[1][0] === range[0] &&
      last[1][1] === range[1] &&
      last[2] === width;
    if (!isSame) placed = placeMarkers(markers, range, width);
    last = [markers, range, width];
    return placed;
  };
}

function pointerHandlers(
  page: ChartPage,
  chartId: string,
  pointer: Ref<Pointer | null>,
): PointerHandlers {
  const zoom = zoomOf(page);
  return {
    onHover: (place) => {
      pointer.value = place;
      page.setHover(place === null ? null : { x: place.x, chartId });
    },
    onZoom: zoom,
    onPan: zoom,
    onReset: () => page.setView({ range: null }),
  };
}

function zoomOf(page: ChartPage) {
  return (range: [number, number]) =>
    page.setView({ range: page.view.value.axis === "step" ? wholeSteps(range) : range });
}

/** Asks for other windows when the view or the curves change. */
function useFollowing(
  page: ChartPage,
  input: MetricChartInput,
  follow: () => void,
  markDirty: () => void,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch([page.view, () => input.lines] as const, ([view], [before]) => {
    markDirty();
    clearTimeout(timer);
    // Old buckets are stretched at once; exact ones are asked for when the hand has come to rest.
    if (view.range !== null && view.range !== before.range && view.axis === before.axis)
      timer = setTimeout(follow, ZOOM_DEBOUNCE_MS);
    else follow();
  });
  onBeforeUnmount(() => clearTimeout(timer));
}

/** Size, visibility and repaints, from mounting to the end. */
function useChartLife(
  host: Ref<HTMLElement | null>,
  page: ChartPage,
  life: {
    onSize(size: Size): void;
    onNearness(nearness: Nearness): void;
    onRepaint(): void;
    onEnd(): void;
  },
): void {
  const ends: (() => void)[] = [];
  onMounted(() => {
    const element = host.value;
    if (element === null) return;
    const sizes = new ResizeObserver(() =>
      life.onSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    sizes.observe(element);
    const endNearness = watchNearness(element, (nearness) => {
      // A canvas costs the browser something in every frame, even unchanged: one out of sight is left out of the page,
      // its picture kept.
      element.style.contentVisibility = nearness === "seen" ? "visible" : "hidden";
      life.onNearness(nearness);
    });
    ends.push(() => sizes.disconnect(), endNearness);
    ends.push(page.onRepaint(life.onRepaint));
  });
  onBeforeUnmount(() => {
    for (const end of ends) end();
    life.onEnd();
  });
}

function wholeSteps([from, to]: [number, number]): [number, number] {
  const low = Math.floor(from);
  return [low, Math.max(low + 1, Math.ceil(to))];
}
