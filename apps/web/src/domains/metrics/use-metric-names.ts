// The names of a run's metrics by group: all at once where they are few, group by group where they are 100,000.
import { listMetricNames, type MetricNode } from "@spotter/contract";
import { computed, onScopeDispose, type Ref, ref, shallowRef, watch } from "vue";
import { api } from "../../platform/api.ts";
import { groupOf, mergeNames } from "./prepare-names.ts";

export interface MetricGroup {
  /** `train`; empty for names without a slash. */
  id: string;
  numSeries: number;
  names: readonly string[];
  /** Where the next page begins: empty for the first page, null when all names are here. */
  nextAfter: string | null;
  isLoading: boolean;
}

export interface NamesOptions {
  runId: Ref<number>;
  /** Text that names must contain. */
  filter: Ref<string>;
  /** Which first parts are wanted. */
  accept(group: string): boolean;
  /** Tells names that appear while the run is live. */
  onNames(listener: (names: readonly string[]) => void): () => void;
}

/** Up to this many names come with the first answer; beyond it groups are opened one by one. */
const FLAT_LIMIT = 1000;
const PAGE = 2000;
const FILTER_DEBOUNCE_MS = 200;

export function useMetricNames(options: NamesOptions) {
  const groups = shallowRef<readonly MetricGroup[]>([]);
  const failure = shallowRef<unknown>(null);
  const isLoaded = ref(false);
  /** True when the run has so many names that groups begin closed. */
  const isLarge = ref(false);
  let reading = new AbortController();

  async function load(): Promise<void> {
    reading.abort();
    reading = new AbortController();
    const { signal } = reading;
    try {
      const loaded = await loadGroups(options, signal);
      groups.value = loaded.groups;
      isLarge.value = loaded.isLarge;
      failure.value = null;
      isLoaded.value = true;
    } catch (error) {
      if (!signal.aborted) failure.value = error;
    }
  }

  /** Reads the next page of a group's names. */
  async function more(id: string): Promise<void> {
    const group = groups.value.find((entry) => entry.id === id);
    if (group === undefined || group.isLoading || group.nextAfter === null) return;
    replace({ ...group, isLoading: true });
    try {
      const page = await api.call(listMetricNames, {
        params: { run_id: options.runId.value },
        query: {
          prefix: `${id}/`,
          flat: "true",
          limit: String(PAGE),
          ...(group.nextAfter === "" ? {} : { after: group.nextAfter }),
        },
      });
      const names = mergeNames(group.names, seriesOf(page.nodes));
      replace({ ...group, names, nextAfter: page.next_after, isLoading: false });
    } catch (error) {
      failure.value = error;
      replace({ ...group, isLoading: false });
    }
  }

  function replace(changed: MetricGroup): void {
    groups.value = groups.value.map((group) => (group.id === changed.id ? changed : group));
  }

  useNewNames(options, groups);
  let timer: ReturnType<typeof setTimeout> | undefined;
  watch(options.runId, load, { immediate: true });
  watch(options.filter, () => {
    clearTimeout(timer);
    timer = setTimeout(load, FILTER_DEBOUNCE_MS);
  });
  onScopeDispose(() => {
    clearTimeout(timer);
    reading.abort();
  });
  const numSeries = computed(() => groups.value.reduce((sum, group) => sum + group.numSeries, 0));
  return { groups, numSeries, failure, isLoaded, isLarge, more, load };
}

async function loadGroups(
  options: NamesOptions,
  signal: AbortSignal,
): Promise<{ groups: MetricGroup[]; isLarge: boolean }> {
  const filter = options.filter.value.trim();
  const params = { run_id: options.runId.value };
  const query = { flat: "true" as const, limit: String(FLAT_LIMIT) };
  const flat = await api.call(
    listMetricNames,
    { params, query: filter === "" ? query : { ...query, q: filter } },
    { signal },
  );
  const names = seriesOf(flat.nodes).filter((name) => options.accept(groupOf(name)));
  if (flat.next_after === null || filter !== "")
    return { groups: groupNames(names), isLarge: false };
  const top = await api.call(listMetricNames, { params, query: { limit: "5000" } }, { signal });
  const groups = top.nodes
    .filter((node) => node.kind === "group")
    .map((node) => ({
      id: node.path.replace(/\/$/, ""),
      numSeries: node.num_series,
      names: [],
      nextAfter: "",
      isLoading: false,
    }))
    .filter((group) => options.accept(group.id));
  return { groups: sortGroups([...groupNames(seriesOf(top.nodes)), ...groups]), isLarge: true };
}

/** Names that the stream brings join their group, or make a new one. */
function useNewNames(options: NamesOptions, groups: Ref<readonly MetricGroup[]>): void {
  const end = options.onNames((names) => {
    const filter = options.filter.value.trim().toLowerCase();
    const wanted = names.filter(
      (name) => options.accept(groupOf(name)) && name.toLowerCase().includes(filter),
    );
    let changed = groups.value;
    for (const { id, names: added } of groupNames(wanted)) {
      const known = changed.find((group) => group.id === id);
      if (known === undefined) {
        changed = sortGroups([...changed, groupNames([...added])[0] as MetricGroup]);
        continue;
      }
      // A group whose pages are not all here will bring the name itself.
      if (known.nextAfter !== null) continue;
      const merged = mergeNames(known.names, added);
      if (merged === known.names) continue;
      const next = { ...known, names: merged, numSeries: merged.length };
      changed = changed.map((group) => (group === known ? next : group));
    }
    if (changed !== groups.value) groups.value = changed;
  });
  onScopeDispose(end);
}

function seriesOf(nodes: readonly MetricNode[]): string[] {
  return nodes.filter((node) => node.kind === "series").map((node) => node.path);
}

export function groupNames(names: readonly string[]): MetricGroup[] {
  const byGroup = new Map<string, string[]>();
  for (const name of names) {
    const id = groupOf(name);
    const known = byGroup.get(id);
    if (known === undefined) byGroup.set(id, [name]);
    else known.push(name);
  }
  return sortGroups(
    [...byGroup].map(([id, list]) => ({
      id,
      numSeries: list.length,
      names: list,
      nextAfter: null,
      isLoading: false,
    })),
  );
}

/** What people look for first comes first. */
const FIRST_GROUPS = ["train", "val", "validation", "test", "eval"];

function sortGroups(groups: readonly MetricGroup[]): MetricGroup[] {
  const rank = (id: string) => {
    const place = FIRST_GROUPS.indexOf(id);
    return place === -1 ? FIRST_GROUPS.length : place;
  };
  return [...groups].sort((a, b) => rank(a.id) - rank(b.id) || (a.id < b.id ? -1 : 1));
}
