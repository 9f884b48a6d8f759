// The report that the address asks for, and kept fresh while its runs go on.
import {
  type Comparison,
  type ComparisonReport,
  compareRuns,
  FINAL_STATES,
  getComparison,
} from "@spotter/contract";
import { computed, onScopeDispose, shallowRef, watch } from "vue";
import { useRoute, useRouter } from "vue-router";
import { api } from "../../platform/api.ts";
import { useLive } from "../../platform/live/use-live.ts";
import { type CompareAddress, readAddress, viewOf, writeAddress } from "./prepare-address.ts";

/** A report reads every metric of its runs: while they go on it is asked for again no more often than this. */
const REFRESH_MS = 5_000;

export function useComparison() {
  const route = useRoute();
  const router = useRouter();
  const savedId = Number(route.params.comparison_id ?? 0);
  const address = computed(() => readAddress(route.query));
  const report = shallowRef<ComparisonReport | null>(null);
  const comparison = shallowRef<Comparison | null>(null);
  const failure = shallowRef<unknown>(null);
  let reading = new AbortController();

  async function load(): Promise<void> {
    reading.abort();
    reading = new AbortController();
    const { signal } = reading;
    const query = viewOf(address.value);
    try {
      if (savedId > 0) {
        const params = { comparison_id: savedId };
        const answer = await api.call(getComparison, { params, query }, { signal });
        [comparison.value, report.value] = [answer.comparison, answer.report];
      } else {
        const runs = address.value.runs.join(",");
        const wanted = runs === "" ? null : { query: { ...query, runs } };
        report.value = wanted === null ? null : await api.call(compareRuns, wanted, { signal });
      }
      failure.value = null;
    } catch (error) {
      if (!signal.aborted) failure.value = error;
    }
  }
  // What only the page itself draws differently asks for nothing.
  watch(() => JSON.stringify([address.value.runs, viewOf(address.value)]), load, {
    immediate: true,
  });

  let timer: ReturnType<typeof setTimeout> | undefined;
  function reloadSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (!document.hidden) void load();
    }, REFRESH_MS);
  }
  const subscription = useLive().watch(
    { runIds: [], topics: ["runs"] },
    {
      onEvent: (event) => {
        if (event.type !== "run-changed") return;
        const known = report.value?.runs.find(({ id }) => id === event.run.id);
        if (known !== undefined) reloadSoon();
      },
      onReconnected: () => void load(),
    },
  );
  const onVisible = () => {
    const goesOn = report.value?.runs.some(({ state }) => !FINAL_STATES.includes(state));
    if (!document.hidden && goesOn === true) void load();
  };
  document.addEventListener("visibilitychange", onVisible);
  onScopeDispose(() => {
    document.removeEventListener("visibilitychange", onVisible);
    subscription.close();
    clearTimeout(timer);
    reading.abort();
  });

  /** Another look at the same runs keeps the charts' own part of the address. */
  function look(change: Partial<Omit<CompareAddress, "runs">>): void {
    const next = writeAddress({ ...address.value, ...change });
    void router.replace({ query: { ...route.query, ...next }, hash: route.hash });
  }

  /** Other runs are another comparison: a saved one stays as it is. */
  function show(runs: readonly number[]): void {
    const base = report.value?.runs.find(({ group }) => group === report.value?.base)?.id ?? null;
    const kept = base !== null && base !== runs[0] && runs.includes(base) ? base : null;
    const { metric, value } = savedId > 0 ? (report.value ?? address.value) : address.value;
    const query = writeAddress({ ...address.value, runs, base: kept, metric, value });
    const isNew = savedId > 0 || address.value.runs.length === 0;
    void router[isNew ? "push" : "replace"]({
      path: "/compare",
      query: { ...route.query, ...query },
    });
  }

  return { savedId, address, report, comparison, failure, load, look, show };
}
