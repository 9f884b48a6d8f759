// The one place that touches uPlot: makes it, feeds it, and turns its pointer events into places on the x axis.
import uPlot from "uplot";
import { type Marks, paintMarks } from "./chart-marks.ts";
import { plotOptions } from "./chart-options.ts";
import type { PreparedChart } from "./prepare-chart.ts";
import { LANE_ROW } from "./prepare-markers.ts";
import type { Values, XAxis } from "./prepare-series.ts";
import { markReach } from "./prepare-tip.ts";
import type { ChartColours } from "./series-colours.ts";

/** What one paint shows. */
export interface PaintState {
  chart: PreparedChart;
  axis: XAxis;
  name: string;
  colours: ChartColours;
  locale: string;
  width: number;
  height: number;
  xRange: readonly [number, number];
  yRange: { min: number; max: number };
  marks: Marks;
}

export interface PointerHandlers {
  /** Pointer over the plot, in pixels from its corner and as values; null when it left. */
  onHover(place: { left: number; top: number; x: number; y: number } | null): void;
  onZoom(range: [number, number]): void;
  onPan(range: [number, number]): void;
  onReset(): void;
}

/** Shorter drags are clicks of an unsteady hand. */
const MIN_DRAG_PX = 5;
const WHEEL_ZOOM = 1.2;

export class ChartCanvas {
  readonly #host: HTMLElement;
  readonly #handlers: PointerHandlers;
  #plot: uPlot | null = null;
  #made = "";
  #state: PaintState | null = null;
  #isHovered = false;

  constructor(host: HTMLElement, handlers: PointerHandlers) {
    this.#host = host;
    this.#handlers = handlers;
  }

  /** The canvas itself, for pictures; null before the first paint. */
  get canvas(): HTMLCanvasElement | null {
    return this.#plot?.ctx.canvas ?? null;
  }

  get plotWidth(): number {
    // From the plot and not from the element: reading the element would force a layout in every paint.
    const plot = this.#plot;
    if (plot === null) return Math.max(1, this.#host.clientWidth - 76);
    return plot.bbox.width / devicePixelRatio;
  }

  /** From the chart's left edge to the plot's. */
  get plotLeft(): number {
    return (this.#plot?.bbox.left ?? 0) / devicePixelRatio;
  }

  paint(state: PaintState): void {
    this.#state = state;
    const made = `${state.chart.structure};${state.axis};${state.locale};${state.colours.surface};${state.colours.text};${state.marks.numRows}`;
    if (this.#plot === null || made !== this.#made) {
      this.destroy();
      this.#state = state;
      this.#made = made;
      this.#plot = this.#make(state);
      return;
    }
    const plot = this.#plot;
    plot.batch(() => {
      if (plot.width !== state.width || plot.height !== state.height)
        plot.setSize({ width: state.width, height: state.height });
      plot.setData(state.chart.data as uPlot.AlignedData, true);
    });
  }

  /** Shows the crosshair of another chart; null hides it. */
  showHover(x: number | null): void {
    if (this.#plot === null || this.#isHovered) return;
    const left = x === null ? -10 : this.#plot.valToPos(x, "x");
    this.#plot.setCursor({ left, top: x === null ? -10 : 0 }, false);
  }

  /** Pixels from the plot's left edge. */
  leftOf(x: number): number {
    return this.#plot?.valToPos(x, "x") ?? 0;
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = null;
    this.#state = null;
    this.#isHovered = false;
  }

  #make(state: PaintState): uPlot {
    const current = () => this.#state ?? state;
    const options: uPlot.Options = {
      ...plotOptions({
        ...state,
        laneHeight: state.marks.numRows * LANE_ROW,
        font: `12px ${getComputedStyle(this.#host).fontFamily}`,
        xRange: () => current().xRange,
        yRange: () => current().yRange,
      }),
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: MIN_DRAG_PX },
        points: { size: 7 },
        // A dot on a curve says that the curve has a value here.
        hover: {
          prox: (plot, series, _index, x) =>
            markReach(current().chart.data[0], (plot.data[series] ?? []) as Values, x),
        },
        bind: {
          mousedown: (plot, _target, handler) => (event) => {
            if (event.shiftKey) this.#startPan(plot, event);
            else handler(event);
            return null;
          },
          dblclick: () => () => {
            this.#handlers.onReset();
            return null;
          },
        },
      },
      hooks: {
        draw: [(plot) => paintMarks(plot, current().marks, current().colours)],
        setCursor: [(plot) => this.#moved(plot)],
        setSelect: [(plot) => this.#selected(plot)],
      },
    };
    const plot = new uPlot(options, state.chart.data as uPlot.AlignedData, this.#host);
    this.#listen(plot);
    return plot;
  }

  #listen(plot: uPlot): void {
    const { over } = plot;
    over.addEventListener("mouseenter", () => {
      this.#isHovered = true;
    });
    over.addEventListener("mouseleave", () => this.#leave());
    over.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        const centre = plot.posToVal(event.offsetX, "x");
        const factor = event.deltaY > 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM;
        const [from, to] = this.#xRange();
        this.#handlers.onZoom([centre - (centre - from) * factor, centre + (to - centre) * factor]);
      },
      { passive: false },
    );
    // Press and slide with a finger; moving up or down still scrolls the page.
    over.style.touchAction = "pan-y";
    const slide = (event: PointerEvent) => {
      if (event.pointerType === "mouse") return;
      this.#isHovered = true;
      const box = over.getBoundingClientRect();
      plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top });
    };
    over.addEventListener("pointerdown", slide);
    over.addEventListener("pointermove", slide);
    for (const end of ["pointerup", "pointercancel"] as const)
      over.addEventListener(end, (event) => {
        if (event.pointerType !== "mouse") this.#leave();
      });
  }

  #leave(): void {
    this.#isHovered = false;
    this.#handlers.onHover(null);
  }

  #moved(plot: uPlot): void {
    if (!this.#isHovered) return;
    const { left = -10, top = -10 } = plot.cursor;
    if (left < 0) return;
    const [x, y] = [plot.posToVal(left, "x"), plot.posToVal(top, "y")];
    this.#handlers.onHover({ left, top, x, y });
  }

  #selected(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < MIN_DRAG_PX) return;
    const range: [number, number] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.#handlers.onZoom(range);
  }

  #startPan(plot: uPlot, down: MouseEvent): void {
    const [from, to] = this.#xRange();
    const perPixel = (to - from) / Math.max(1, plot.over.clientWidth);
    const move = (event: MouseEvent) => {
      const shift = (down.clientX - event.clientX) * perPixel;
      this.#handlers.onPan([from + shift, to + shift]);
    };
    const up = () => {
      document.removeEventListener("mousemove", move);
      document.removeEventListener("mouseup", up);
    };
    document.addEventListener("mousemove", move);
    document.addEventListener("mouseup", up);
  }

  #xRange(): readonly [number, number] {
    return this.#state?.xRange ?? [0, 1];
  }
}
