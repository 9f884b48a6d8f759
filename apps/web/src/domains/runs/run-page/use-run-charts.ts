// What the charts of this page show of the run: its curve, and the marks of its checkpoints and attempts.
import { getLineage, type LineageNode, listRunFiles, type RunFile } from "@spotter/contract";
import { computed, onScopeDispose, type Ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "../../../platform/api.ts";
import { formatCount } from "../../../platform/format/index.ts";
import { type ChartPage, provideChartPage } from "../../metrics/chart-page.ts";
import type { ChartRun } from "../../metrics/chart-run.ts";
import type { Marker } from "../../metrics/prepare-markers.ts";
import { ancestorsOf } from "./prepare-lineage.ts";
import { changeTexts } from "./prepare-values.ts";
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

function useMarkers(page: ChartPage): Ref<readonly Marker[]> {
  const { t } = useI18n();
  const { run } = useRun();
  const files = useRunFiles();
  const changes = useChangeMarks();
  const attempts = computed(() => JSON.stringify((run.value?.attempts ?? []).map(attemptKey)));
  return computed<readonly Marker[]>(() => {
    const { axis } = page.view.value;
    const startedAt = page.runs.value[0]?.startedAt ?? 0;
    const place = (step: number | null, time: number) =>
      axis === "step" ? step : axis === "time" ? time : time - startedAt;
    const markers: Marker[] = [];
    for (const file of files.value) {
      const x = place(file.step, file.created_at);
      if (file.kind !== "checkpoint" || file.removed_at !== null || x === null) continue;
      markers.push({
        x,
        kind: "checkpoint",
        label: t("runPage.markers.checkpoint", { step: formatCount(file.step) }),
      });
    }
    const fork = run.value?.fork ?? null;
    if (fork !== null && axis === "step")
      markers.push({
        x: fork.step,
        kind: "fork",
        label: t("runPage.markers.fork", { id: fork.parent_id, step: formatCount(fork.step) }),
      });
    const starts = JSON.parse(attempts.value) as ReturnType<typeof attemptKey>[];
    for (const { attempt, first_step, started_at } of starts.slice(1)) {
      const x = place(first_step, started_at);
      if (x !== null)
        markers.push({ x, kind: "attempt", label: t("runPage.markers.attempt", { attempt }) });
    }
    for (const { step, time, label } of changes.value) {
      const x = place(step, time);
      if (x !== null) markers.push({ x, kind: "change", label });
    }
    return markers;
  });
}

/** What people changed while the run trained: what, who and why, at the step after which it was in force. */
function useChangeMarks() {
  const { t } = useI18n();
  const { commands } = useRun();
  const done = computed(() =>
    commands.value.filter(
      ({ action, state, step }) =>
        (action === "set" || action === "revert") && state === "done" && step !== null,
    ),
  );
  return computed(() =>
    done.value.map((command) => {
      const words = {
        what: changeTexts(command, t("runPage.values.off")).join(", "),
        who: command.created_by_name ?? "–",
        why: command.reason ?? "–",
      };
      const key = command.action === "set" ? "change" : "revert";
      const time = command.acked_at ?? command.created_at;
      return { step: command.step, time, label: t(`runPage.markers.${key}`, words) };
    }),
  );
}

function attemptKey(attempt: { attempt: number; first_step: number | null; started_at: number }) {
  const { attempt: number, first_step, started_at } = attempt;
  return { attempt: number, first_step, started_at };
}

/** Files of the run, read once and kept current. */
export function useRunFiles(): Ref<readonly RunFile[]> {
  const { runId, onEvent, onReconnected } = useRun();
  const files = shallowRef<readonly RunFile[]>([]);
  async function load(): Promise<void> {
    const id = runId.value;
    try {
      const listed = await api.call(listRunFiles, { params: { run_id: id } });
      if (runId.value === id) files.value = listed.files;
    } catch (error) {
      // Charts without markers are still charts; the Files tab says what went wrong.
      console.warn("The run's files could not be read:", error);
    }
  }
  watch(runId, load, { immediate: true });
  const ends = [
    onReconnected(() => void load()),
    onEvent((event) => {
      if (event.type !== "files-changed" || event.run_id !== runId.value) return;
      files.value = [...files.value.filter((file) => file.id !== event.file.id), event.file];
    }),
  ];
  onScopeDispose(() => {
    for (const end of ends) end();
  });
  return files;
}
