// The list's rows: pages as they are scrolled to, kept fresh by the live stream, old ones kept when a call fails.
import { listRuns, type RunSummary } from "@spotter/contract";
import { type ComputedRef, onScopeDispose, ref, shallowRef, watch } from "vue";
import { api } from "../../../platform/api.ts";
import { useLive } from "../../../platform/live/use-live.ts";
import { useProjects } from "../../projects/use-projects.ts";
import { mergeRun } from "./prepare-rows.ts";
import { isFiltered, questionOf, type RunsView } from "./prepare-view.ts";

export function useRunsList(view: ComputedRef<RunsView>) {
  const projects = useProjects();
  const runs = shallowRef<RunSummary[]>([]);
  const total = ref<number | null>(null);
  const numNew = ref(0);
  const isLoading = ref(false);
  const failure = shallowRef<unknown>(null);
  let cursor: string | null = null;
  let abort = new AbortController();

  watch([view, () => projects.filter], reload, { immediate: true });
  onScopeDispose(() => abort.abort());

  async function reload(): Promise<void> {
    cursor = null;
    await load(true);
  }

  async function loadMore(): Promise<void> {
    if (!isLoading.value && cursor !== null && failure.value === null) await load(false);
  }

  async function load(isFresh: boolean): Promise<void> {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    isLoading.value = true;
    try {
      const query = questionOf(view.value, projects.filter, cursor);
      const page = await api.call(listRuns, { query }, { signal });
      runs.value = isFresh ? page.runs : [...runs.value, ...page.runs];
      cursor = page.next_cursor;
      total.value = page.total;
      failure.value = null;
      if (isFresh) numNew.value = 0;
    } catch (error) {
      if (signal.aborted) return;
      failure.value = error;
    } finally {
      if (!signal.aborted) isLoading.value = false;
    }
  }

  function take(run: RunSummary): void {
    const merged = mergeRun(runs.value, run);
    if (merged !== null) {
      runs.value = run.deleted_at === null ? merged : merged.filter((other) => other.id !== run.id);
      return;
    }
    const newest = Math.max(0, ...runs.value.map((other) => other.id));
    if (run.id <= newest || run.deleted_at !== null || total.value === null) return;
    const isTop =
      view.value.sort === "id" && view.value.direction === "desc" && !isFiltered(view.value);
    const isHere = projects.current === null || projects.current.id === run.project_id;
    if (!isHere) return;
    // Rows never move under the pointer: only where it is plain that a run belongs on top does it appear by itself.
    if (isTop) {
      runs.value = [run, ...runs.value];
      total.value += 1;
    } else numNew.value += 1;
  }

  const subscription = useLive().watch(
    { runIds: [], topics: ["runs"] },
    {
      onEvent: (event) => {
        if (event.type === "run-changed") take(event.run);
      },
      onReconnected: () => void reload(),
    },
  );
  onScopeDispose(() => subscription.close());

  /** Shows at once what the person has just done; the server's word follows. */
  function replace(changed: RunSummary): void {
    runs.value = mergeRun(runs.value, changed) ?? runs.value;
  }
  function drop(ids: ReadonlySet<number>): void {
    const kept = runs.value.filter((run) => !ids.has(run.id));
    if (total.value !== null) total.value -= runs.value.length - kept.length;
    runs.value = kept;
  }

  return { runs, total, numNew, isLoading, failure, reload, loadMore, replace, drop };
}
