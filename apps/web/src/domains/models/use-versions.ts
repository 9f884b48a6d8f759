// Versions of one model, or of all: read by the view in the address, more of them when asked for.
import { findModelVersions, listModelVersions, type ModelVersion } from "@spotter/contract";
import { type ComputedRef, onScopeDispose, ref, shallowRef, watch } from "vue";
import { api } from "../../platform/api.ts";
import { useProjects } from "../projects/use-projects.ts";
import { questionOf, type VersionsView } from "./prepare-view.ts";

/** @param modelId null: versions of every model of the chosen project */
export function useVersions(view: ComputedRef<VersionsView>, modelId: () => string | null) {
  const projects = useProjects();
  const versions = shallowRef<ModelVersion[]>([]);
  const total = ref<number | null>(null);
  const isLoading = ref(false);
  const failure = shallowRef<unknown>(null);
  let abort = new AbortController();

  watch([() => JSON.stringify(view.value), modelId, () => projects.filter], () => load(0), {
    immediate: true,
  });
  onScopeDispose(() => abort.abort());

  async function load(offset: number): Promise<void> {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    isLoading.value = true;
    try {
      const page = await ask(offset, signal);
      versions.value = offset === 0 ? page.versions : [...versions.value, ...page.versions];
      total.value = page.total;
      failure.value = null;
    } catch (error) {
      if (signal.aborted) return;
      failure.value = error;
    } finally {
      if (!signal.aborted) isLoading.value = false;
    }
  }

  function ask(offset: number, signal: AbortSignal) {
    const id = modelId();
    const query = questionOf(view.value, offset);
    return id === null
      ? api.call(findModelVersions, { query: { ...query, ...projects.filter } }, { signal })
      : api.call(listModelVersions, { params: { model_id: id }, query }, { signal });
  }

  return {
    ...{ versions, total, isLoading, failure },
    reload: () => load(0),
    loadMore: () => load(versions.value.length),
  };
}
