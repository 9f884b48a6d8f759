// One version, found by its model and its number, with what can be said about it.
import {
  getModelVersion,
  listModelVersions,
  type ModelVersionDetail,
  type PredictRequest,
  predictWithModelVersion,
  updateModelVersion,
} from "@spotter/contract";
import { computed, shallowRef, watch } from "vue";
import { useRoute } from "vue-router";
import type { z } from "zod";
import { api } from "../../platform/api.ts";

export function useVersion() {
  const route = useRoute();
  const version = shallowRef<ModelVersionDetail | null>(null);
  const failure = shallowRef<unknown>(null);
  const isMissing = shallowRef(false);
  const params = computed(() => ({ version_id: version.value?.id ?? 0 }));

  watch(
    () => [route.params.model_id, route.params.version],
    () => {
      version.value = null;
      void load();
    },
    { immediate: true },
  );

  async function load(): Promise<void> {
    const { model_id: modelId, version: number } = route.params;
    try {
      const id = version.value?.id ?? (await idOf(String(modelId), String(number)));
      isMissing.value = id === null;
      if (id !== null)
        version.value = await api.call(getModelVersion, { params: { version_id: id } });
      failure.value = null;
    } catch (error) {
      failure.value = error;
    }
  }

  /** A deleted one is shown too, as what it is. */
  async function idOf(modelId: string, number: string): Promise<number | null> {
    for (const deleted of ["false", "true"] as const) {
      const query = { version: number, deleted };
      const page = await api.call(listModelVersions, { params: { model_id: modelId }, query });
      const [found] = page.versions;
      if (found !== undefined) return found.id;
    }
    return null;
  }

  async function change(body: { note?: string; tags?: string[] }): Promise<void> {
    version.value = await api.call(updateModelVersion, { params: params.value, body });
  }

  /** The answer brings a latency, which the version keeps. */
  async function ask(body: z.input<typeof PredictRequest>) {
    const answer = await api.call(predictWithModelVersion, { params: params.value, body });
    if (version.value !== null) version.value = { ...version.value, latency_ms: answer.latency_ms };
    return answer;
  }

  return { version, failure, isMissing, load, change, ask };
}
