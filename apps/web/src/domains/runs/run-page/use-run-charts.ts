// What the charts of this page show of the run: its curve, those of the runs that it began in, and its marks.
import { getLineage, type LineageNode } from "@spotter/contract";
import { computed, type Ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "../../../platform/api.ts";
import { formatCount } from "../../../platform/format/index.ts";
import { type ChartPage, provideChartPage } from "../../metrics/chart-page.ts";
import type { ChartRun } from "../../metrics/chart-run.ts";
import type { Marker } from "../../metrics/prepare-markers.ts";
import { ancestorsOf } from "./prepare-lineage.ts";
import { useMarkers } from "./use-markers.ts";
import { useRun } from "./use-run.ts";

export function useRunCharts(): { page: ChartPage; markers: Ref<readonly Marker[]> } {
  const { run, runId, isActive } = useRun();
  // Equal values keep their identity: the charts must not begin anew with every progress report.
  const startedAt = computed(() => run.value?.started_at ?? run.value?.created_at ?? 0);
  const name = computed(() => run.value?.name ?? "");
  const ancestors = useAncestors();
  const showsAncestors = shallowRef(false);
  const runs = computed<readonly ChartRun[]>(() => [
    {
      id: runId.value,
      name: name.value,
      slot: 0,
      startedAt: startedAt.value,
      isActive: isActive.value,
    },
    ...(showsAncestors.value ? ancestors.value : []),
  ]);
  const page = provideChartPage(runs);
  watch(
    // By time their curves lie where nothing of this run is.
    () => page.view.value.ancestors && page.view.value.axis === "step",
    (shows) => {
      showsAncestors.value = shows;
    },
    { immediate: true },
  );
  return { page, markers: useMarkers(page) };
}

/** The runs that this one began in, each up to the step where the next one did. */
function useAncestors(): Ref<readonly ChartRun[]> {
  const { t } = useI18n();
  const { run, runId } = useRun();
  const family = shallowRef<readonly LineageNode[]>([]);
  const parentId = computed(() => run.value?.fork?.parent_id ?? null);
  watch(
    [runId, parentId],
    async ([id, parent]) => {
      family.value = [];
      if (parent === null) return;
      try {
        const { runs } = await api.call(getLineage, { params: { run_id: id } });
        if (runId.value === id) family.value = runs;
      } catch (error) {
        // The run's own curves need no ancestors; the Lineage tab says what went wrong.
        console.warn("The run's ancestors could not be read:", error);
      }
    },
    { immediate: true },
  );
  return computed(() =>
    ancestorsOf(family.value, runId.value).map(({ node, untilStep }) => ({
      id: node.id,
      name: t("runPage.fork.ancestor", {
        id: node.id,
        name: node.name,
        step: formatCount(untilStep),
      }),
      slot: 0,
      startedAt: node.started_at ?? node.created_at,
      isActive: false,
      untilStep,
    })),
  );
}
