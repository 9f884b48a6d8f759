// Log lines of the run: the newest page first, older ones on demand, the tail live.
import { type LogLevel, type LogLine, listRunLogs } from "@spotter/contract";
import { onScopeDispose, ref, shallowRef, watch } from "vue";
import type { z } from "zod";
import { api } from "../../../platform/api.ts";
import { mergeLines, passes, trimLines } from "./log-window.ts";
import { useRun } from "./use-run.ts";

const PAGE = 500;
const SEARCH_DEBOUNCE_MS = 250;

export function useRunLogs() {
  const { runId, onEvent, onReconnected } = useRun();
  const level = ref<z.infer<typeof LogLevel> | "all">("all");
  const search = ref("");
  const lines = shallowRef<readonly LogLine[]>([]);
  const total = ref(0);
  const failure = shallowRef<unknown>(null);
  const isLoaded = ref(false);
  const hasOlder = ref(false);
  const isReading = ref(false);
  let epoch = 0;

  const filters = () => ({
    limit: String(PAGE),
    ...(level.value === "all" ? {} : { level: level.value }),
    ...(search.value === "" ? {} : { q: search.value }),
  });

  async function read(position: { before?: string }): Promise<LogLine[] | null> {
    const mine = epoch;
    isReading.value = true;
    try {
      const query = { ...filters(), ...position };
      const page = await api.call(listRunLogs, { params: { run_id: runId.value }, query });
      if (mine !== epoch) return null;
      total.value = Math.max(total.value, page.total);
      failure.value = null;
      hasOlder.value = page.lines.length >= PAGE;
      return page.lines;
    } catch (error) {
      if (mine === epoch) failure.value = error;
      return null;
    } finally {
      if (mine === epoch) isReading.value = false;
    }
  }

  async function reload(): Promise<void> {
    epoch++;
    total.value = 0;
    const newest = await read({});
    if (newest === null) return;
    lines.value = newest;
    isLoaded.value = true;
  }

  /** Reads the page before the first line that is held. @returns how many lines came */
  async function older(): Promise<number> {
    const first = lines.value[0]?.line_no;
    if (first === undefined || !hasOlder.value || isReading.value) return 0;
    const page = await read({ before: String(first) });
    if (page === null) return 0;
    lines.value = trimLines(mergeLines(lines.value, page), "oldest");
    return page.length;
  }

  const end = onEvent((event) => {
    if (event.type !== "log-appended" || event.run_id !== runId.value || !isLoaded.value) return;
    total.value = Math.max(total.value, event.lines[event.lines.length - 1]?.line_no ?? 0);
    const wanted = event.lines.filter((line) => passes(line, level.value, search.value));
    if (wanted.length > 0) lines.value = trimLines(mergeLines(lines.value, wanted), "newest");
  });
  const endReconnected = onReconnected(() => void reload());
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch([runId, level], reload, { immediate: true });
  watch(search, () => {
    clearTimeout(timer);
    timer = setTimeout(reload, SEARCH_DEBOUNCE_MS);
  });
  onScopeDispose(() => {
    clearTimeout(timer);
    end();
    endReconnected();
  });
  return { lines, total, level, search, failure, isLoaded, hasOlder, isReading, older, reload };
}
