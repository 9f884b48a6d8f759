// What all charts of one page share: the view, the memory of series, the frame loop, the crosshair, the x range.
import { querySeries } from "@spotter/contract";
import {
  type ComputedRef,
  computed,
  type InjectionKey,
  inject,
  onScopeDispose,
  provide,
  type Ref,
  shallowRef,
  watch,
} from "vue";
import { useRoute, useRouter } from "vue-router";
import { api } from "../../platform/api.ts";
import { usePreferences } from "../../platform/preferences.ts";
import type { ChartRun } from "./chart-run.ts";
import { FrameLoop } from "./frame-loop.ts";
import type { RunBand } from "./prepare-bands.ts";
import { type ChartView, formatView, parseView } from "./prepare-view.ts";
import { type ChartColours, readColours } from "./series-colours.ts";
import { SeriesLoader } from "./series-loader.ts";
import { SeriesStore } from "./series-store.ts";
import { useSeriesStream } from "./use-series-stream.ts";
import { XDomain } from "./x-domain.ts";

export interface Hover {
  x: number;
  /** The chart under the pointer; only it has a tip. */
  chartId: string;
}

export interface ChartPage {
  readonly runs: Readonly<Ref<readonly ChartRun[]>>;
  /** Runs that are drawn as one curve with a band; null: each run for itself. */
  readonly bands: Readonly<Ref<readonly RunBand[] | null>>;
  readonly view: Readonly<Ref<ChartView>>;
  setView(change: Partial<ChartView>): void;
  readonly store: SeriesStore;
  readonly frames: FrameLoop;
  readonly domain: XDomain;
  readonly hover: Readonly<Ref<Hover | null>>;
  setHover(hover: Hover | null): void;
  readonly colours: Readonly<Ref<ChartColours>>;
  readonly isLive: ComputedRef<boolean>;
  /** Called when everything must be painted again: the shared range has moved. */
  onRepaint(listener: () => void): () => void;
  /** Called with the names that a live batch brought. */
  onNames(listener: (names: readonly string[]) => void): () => void;
}

const key: InjectionKey<ChartPage> = Symbol("chart page");

/** The page that a chart belongs to. */
export function useChartPage(): ChartPage {
  const page = inject(key);
  if (page === undefined) throw new Error("A chart needs provideChartPage() above it");
  return page;
}

/** Makes the page's shared state, for as long as the calling component lives. */
export function provideChartPage(
  runs: Ref<readonly ChartRun[]>,
  bands: Ref<readonly RunBand[] | null> = shallowRef<readonly RunBand[] | null>(null),
): ChartPage {
  const { view, setView } = useView();
  const colours = useColours();
  const repaint = new Set<() => void>();
  const frames = new FrameLoop(
    { requestFrame: (callback) => requestAnimationFrame(callback), now: () => performance.now() },
    (error) => console.error("A chart could not be painted:", error),
  );
  const repaintAll = () => {
    for (const listener of repaint) listener();
  };
  const domain = new XDomain(() => frames.soon(repaintAll));
  const loader = new SeriesLoader(async (requests, signal) => {
    const answer = await api.call(querySeries, { body: { requests } }, { signal });
    return answer.series;
  });
  const store = new SeriesStore(loader);
  const { onNames } = useSeriesStream(runs, store, frames);
  const hover = shallowRef<Hover | null>(null);
  const isLive = computed(() => runs.value.some((run) => run.isActive));
  watch(
    isLive,
    (live) => {
      domain.live = live;
    },
    { immediate: true },
  );
  watch(
    () => view.value.axis,
    () => {
      domain.clear();
      repaintAll();
    },
    { flush: "sync" },
  );
  const page: ChartPage = {
    runs,
    bands,
    view,
    setView,
    store,
    frames,
    domain,
    hover,
    setHover: (next) => {
      hover.value = next;
    },
    colours,
    isLive,
    onRepaint: (listener) => {
      repaint.add(listener);
      return () => repaint.delete(listener);
    },
    onNames,
  };
  provide(key, page);
  return page;
}

/** The view lives in the address; here it answers at once, the address follows within a moment. */
function useView(): Pick<ChartPage, "view" | "setView"> {
  const route = useRoute();
  const router = useRouter();
  const view = shallowRef(parseView(route.query));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const path = route.path;

  function write(): void {
    timer = undefined;
    // Another page has been opened meanwhile: its address is not ours to write.
    if (route.path !== path) return;
    const query = { ...route.query, ...formatView(view.value) };
    void router.replace({ query, hash: route.hash });
  }
  function setView(change: Partial<ChartView>): void {
    view.value = { ...view.value, ...change };
    clearTimeout(timer);
    timer = setTimeout(write, 200);
  }
  // Back and Forward, or a link to a zoomed view.
  watch(
    () => route.query,
    (query) => {
      if (timer === undefined && route.path === path) view.value = parseView(query);
    },
  );
  onScopeDispose(() => clearTimeout(timer));
  return { view, setView };
}

/** Colours of the theme; read again after it has changed on the page. */
export function useColours(): Readonly<Ref<ChartColours>> {
  const preferences = usePreferences();
  const colours = shallowRef(readColours(document.documentElement));
  watch(
    () => preferences.isDark,
    () => {
      colours.value = readColours(document.documentElement);
    },
    { flush: "post" },
  );
  return colours;
}
