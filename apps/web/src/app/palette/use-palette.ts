// The palette's state: what is typed, what fits, and runs that the server finds for it.
import { listDatasets, listRuns } from "@spotter/contract";
import { computed, ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import { api } from "../../platform/api.ts";
import { type Command, offeredCommands } from "../../platform/commands.ts";
import { type Initials, rankCommands } from "./rank-commands.ts";

const isOpen = ref(false);
const query = ref("");

/** Opens the palette from anywhere. */
export function openPalette(): void {
  query.value = "";
  isOpen.value = true;
}

export function usePalette() {
  const router = useRouter();
  const { t } = useI18n();
  const offered = shallowRef<Command[]>([]);
  const found = shallowRef<Command[]>([]);
  const datasets = shallowRef<Command[]>([]);
  const initials = shallowRef<Initials | null>(null);
  const results = computed(() =>
    rankCommands(
      [...offered.value, ...found.value, ...(query.value === "" ? [] : datasets.value)],
      query.value,
      initials.value,
    ),
  );

  watch(isOpen, async (opened) => {
    if (!opened) return;
    offered.value = offeredCommands();
    // The palette works without them; without the server it still has its actions and settings.
    datasets.value = await findDatasets().catch((failure: unknown) => {
      console.info("The palette could not read the datasets:", failure);
      return [];
    });
    initials.value ??= await loadInitials();
  });

  watch([isOpen, query], ([opened, text], _before, onCleanup) => {
    found.value = [];
    if (!opened || text.trim() === "") return;
    const abort = new AbortController();
    onCleanup(() => abort.abort());
    findRuns(text.trim(), abort.signal).then(
      (commands) => {
        if (!abort.signal.aborted) found.value = commands;
      },
      (failure: unknown) => {
        // Without the server the palette still has its actions and settings.
        if (!abort.signal.aborted) console.info("The palette could not search runs:", failure);
      },
    );
  });

  async function findRuns(text: string, signal: AbortSignal): Promise<Command[]> {
    const page = await api.call(
      listRuns,
      { query: { q: text.slice(0, 200), limit: "8" } },
      { signal },
    );
    return page.runs.map((run) => ({
      id: `run-${run.id}`,
      kind: "object" as const,
      title: `${run.id} · ${run.name}`,
      keywords: text,
      run: () => void router.push(`/runs/${run.id}/charts`),
    }));
  }

  async function findDatasets(): Promise<Command[]> {
    const { datasets: listed } = await api.call(listDatasets, { query: {} });
    return listed.map((dataset) => ({
      id: `dataset-${dataset.id}`,
      kind: "object" as const,
      title: dataset.name,
      hint: t("datasets.title"),
      run: () => void router.push(`/datasets/${dataset.id}`),
    }));
  }

  function close(): void {
    isOpen.value = false;
  }

  return { isOpen, query, results, close };
}

/** 100 KB that only people who type pinyin need, so it comes with the palette's first opening. */
async function loadInitials(): Promise<Initials> {
  const { pinyin } = await import("pinyin-pro");
  return (text) =>
    pinyin(text, { pattern: "first", toneType: "none", type: "array", nonZh: "removed" })
      .join("")
      .toLowerCase();
}
