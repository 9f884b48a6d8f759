// The home page's three answers, and the small curves of what is running, all in one batched request.
import {
  type Alert,
  type BucketColumns,
  listAlerts,
  listRuns,
  querySeries,
  type RunSummary,
} from "@spotter/contract";
import { computed, onScopeDispose, ref, shallowRef, watch } from "vue";
import { api } from "../../platform/api.ts";
import { useLive } from "../../platform/live/use-live.ts";
import { useProjects } from "../projects/use-projects.ts";
import { busiest, curveMetricOf, lastEnded } from "./prepare-home.ts";

/** Curves are small: a new one every few seconds is as much as the eye can tell. */
const CURVES_MS = 5_000;
/** A failure is news for three days. */
const NEWS_S = 3 * 86_400;
const RUNNING = "starting,running,paused,queued";

export function useHome() {
  const projects = useProjects();
  const failed = shallowRef<RunSummary[]>([]);
  const fired = shallowRef<Alert[]>([]);
  const running = shallowRef<RunSummary[]>([]);
  const finished = shallowRef<RunSummary[]>([]);
  const numRuns = ref<number | null>(null);
  const curves = shallowRef<ReadonlyMap<number, BucketColumns>>(new Map());
  const failure = shallowRef<unknown>(null);
  let reloadTimer: ReturnType<typeof setTimeout> | undefined;

  async function list(state: string | undefined, limit: number) {
    const query = { ...projects.filter, limit: String(limit), ...(state ? { state } : {}) };
    return await api.call(listRuns, { query });
  }

  async function load(): Promise<void> {
    try {
      const [any, bad, now, done] = await Promise.all([
        list(undefined, 1),
        list("failed", 5),
        list(RUNNING, 30),
        list("finished,stopped", 30),
      ]);
      fired.value = await firedOf(projects.filter, now.runs);
      numRuns.value = any.total;
      failed.value = bad.runs.filter((run) => Date.now() / 1000 - (run.ended_at ?? 0) < NEWS_S);
      running.value = busiest(now.runs);
      finished.value = lastEnded(done.runs, 5);
      failure.value = null;
      await loadCurves();
    } catch (error) {
      failure.value = error;
    }
  }

  async function loadCurves(): Promise<void> {
    const requests = running.value.flatMap((run) => {
      const name = curveMetricOf(run);
      return name === null ? [] : [{ run_id: run.id, names: [name], max_points: 120 }];
    });
    if (requests.length === 0) return;
    const answer = await api.call(querySeries, { body: { requests } });
    curves.value = new Map(answer.series.map((series) => [series.run_id, series.buckets]));
  }

  /** Asks again, once for a burst. */
  function loadSoon(): void {
    clearTimeout(reloadTimer);
    reloadTimer = setTimeout(() => void load(), 300);
  }
  function take(run: RunSummary): void {
    const position = running.value.findIndex((other) => other.id === run.id);
    const before = running.value[position];
    // A run that came, ended or changed sides moves between the three answers.
    if (before?.state !== run.state) loadSoon();
    if (before !== undefined) running.value = running.value.with(position, run);
  }

  const subscription = useLive().watch(
    { runIds: [], topics: ["runs", "alerts"] },
    {
      onEvent: (event) => {
        if (event.type === "run-changed") take(event.run);
        if (event.type === "alert-changed") loadSoon();
      },
      onReconnected: () => void load(),
    },
  );
  const curvesTimer = setInterval(() => {
    if (document.hidden || running.value.length === 0) return;
    // After a failure everything is asked again, and the message goes with the first answer.
    if (failure.value !== null) void load();
    else loadCurves().catch((error: unknown) => (failure.value = error));
  }, CURVES_MS);
  onScopeDispose(() => {
    subscription.close();
    clearInterval(curvesTimer);
    clearTimeout(reloadTimer);
  });
  watch(() => projects.filter, load, { immediate: true });

  const isFirstVisit = computed(() => numRuns.value === 0);
  return { failed, fired, running, finished, numRuns, curves, failure, isFirstVisit, load };
}

/** Of a run that has ended nothing more can be saved: its alerts are in their own list. */
async function firedOf(
  project: { project_id?: string },
  goOn: readonly RunSummary[],
): Promise<Alert[]> {
  const query = { ...project, open: "true" as const, limit: "50" };
  const { alerts } = await api.call(listAlerts, { query });
  const ids = new Set(goOn.map(({ id }) => id));
  return alerts.filter((alert) => ids.has(alert.run_id)).slice(0, 5);
}
