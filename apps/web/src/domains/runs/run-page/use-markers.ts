// The marks above a run's charts: its checkpoints, attempts and fork, what people changed, and what rules said of it.

import { type Alert, alertMark, listAlerts, listRunFiles, type RunFile } from "@spotter/contract";
import { computed, onScopeDispose, type Ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "../../../platform/api.ts";
import { formatCount } from "../../../platform/format/index.ts";
import { useLive } from "../../../platform/live/use-live.ts";
import { saidOf } from "../../alerts/prepare-alerts.ts";
import type { ChartPage } from "../../metrics/chart-page.ts";
import type { Marker } from "../../metrics/prepare-markers.ts";
import { wordOfNull } from "../new-run/prepare-config.ts";
import { withFile } from "./prepare-files.ts";
import { changeTexts } from "./prepare-values.ts";
import { useRun } from "./use-run.ts";

export function useMarkers(page: ChartPage): Ref<readonly Marker[]> {
  const { t } = useI18n();
  const { run } = useRun();
  const files = useRunFiles();
  const changes = useChangeMarks();
  const alerts = useAlertMarks();
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
    for (const { step, time, label } of alerts.value) {
      const x = place(step, time);
      if (x !== null) markers.push({ x, kind: "alert", label });
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
        what: changeTexts(command, (name) => t(wordOfNull(name))).join(", "),
        who: command.created_by_name ?? "–",
        why: command.reason ?? "–",
      };
      const key = command.action === "set" ? "change" : "revert";
      const time = command.acked_at ?? command.created_at;
      return { step: command.step, time, label: t(`runPage.markers.${key}`, words) };
    }),
  );
}

/** What the rules said of this run, at the step that they looked at. */
function useAlertMarks() {
  const { t } = useI18n();
  const { runId, onReconnected } = useRun();
  const alerts = shallowRef<readonly Alert[]>([]);
  async function load(): Promise<void> {
    const id = runId.value;
    try {
      const query = { run_id: String(id), limit: "200" };
      const page = await api.call(listAlerts, { query });
      if (runId.value === id) alerts.value = page.alerts;
    } catch (error) {
      // Charts without these marks are still charts; the alerts' own page says what went wrong.
      console.warn("The run's alerts could not be read:", error);
    }
  }
  watch(runId, load, { immediate: true });
  const watching = useLive().watch(
    { runIds: [], topics: ["alerts"] },
    {
      onEvent: (event) => {
        if (event.type !== "alert-changed" || event.alert.run_id !== runId.value) return;
        alerts.value = [...alerts.value.filter(({ id }) => id !== event.alert.id), event.alert];
      },
    },
  );
  const end = onReconnected(() => void load());
  onScopeDispose(() => {
    end();
    watching.close();
  });
  // That a run began or finished is no trouble, and its state says so already.
  const trouble = computed(() => alerts.value.filter((alert) => alertMark(alert) !== "told"));
  return computed(() =>
    trouble.value.map((alert) => {
      const words = { what: saidOf(alert, t), rule: alert.rule_name };
      const label = t("runPage.markers.alert", words);
      return { step: alert.step, time: alert.fired_at, label };
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
      files.value = withFile(files.value, event.file);
    }),
  ];
  onScopeDispose(() => {
    for (const end of ends) end();
  });
  return files;
}
