// The form of a fork: checkpoint, what is kept, what changes, how many seeds; the server's plan beside it.
import {
  createForks,
  type ForkPlan,
  listRunFiles,
  previewForks,
  type RecipeName,
  type Run,
} from "@spotter/contract";
import { computed, onScopeDispose, type Ref, reactive, ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { useRoute, useRouter } from "vue-router";
import { api } from "../../../platform/api.ts";
import { issuesOf } from "../../../platform/failure.ts";
import { inForce } from "../new-run/prepare-config.ts";
import type { Config } from "../new-run/prepare-fields.ts";
import { NO_WISHES, type Wishes, wrongWishes } from "../new-run/prepare-wishes.ts";
import { useConfig } from "../new-run/use-config.ts";
import { useRun } from "../run-page/use-run.ts";
import {
  forkableSteps,
  newestKept,
  openFields,
  type Part,
  requestOf,
  usualFields,
} from "./prepare-fork.ts";

/** Typing must not ask for a plan at every letter. */
const PREVIEW_MS = 300;

export function useFork() {
  const { runId, run } = useRun();
  const { t, te, locale } = useI18n();
  const form = useConfig();
  const { step, steps, loadSteps } = useCheckpoint();
  const { startFromCheckpoint } = useBase(form, run, step);
  const dropped = ref<ReadonlySet<Part>>(new Set());
  const seeds = ref(1);
  const name = ref("");
  const { wishes, wrong } = useWishes();
  /** Fields that stand in the form. */
  const shown = ref<readonly string[]>([]);
  const failure = shallowRef<unknown>(null);
  const isLoaded = ref(false);
  const request = computed(() =>
    requestOf({
      ...{ step: step.value, dropped: dropped.value, changes: form.changed.value },
      ...{ seeds: seeds.value, name: name.value, wishes },
    }),
  );
  const hasProblems = computed(() => form.problems.value.size + wrong.value.size > 0);
  const isReady = computed(() => isLoaded.value && steps.value.length > 0 && !hasProblems.value);
  const preview = usePreview(runId, request, isReady);
  const starting = useStart(runId, request);
  const refusal = () => starting.failure.value ?? preview.failure.value;
  const issues = computed(() => issuesOf(refusal(), { t, te, locale: locale.value }));
  const fields = useOpenFields(form);

  async function load(): Promise<void> {
    try {
      await Promise.all([
        form.load({ from: String(runId.value), recipe: run.value?.recipe ?? null, config: {} }),
        loadSteps(runId.value),
      ]);
      startFromCheckpoint();
      shown.value = usualFields(fields.value, form.base.value);
      failure.value = null;
      isLoaded.value = true;
    } catch (error) {
      failure.value = error;
    }
  }
  function toggle(part: Part, isKept: boolean): void {
    const next = new Set(dropped.value);
    if (isKept) next.delete(part);
    else next.add(part);
    dropped.value = next;
  }
  function show(key: string): void {
    if (!shown.value.includes(key)) shown.value = [...shown.value, key];
  }
  watch(request, () => {
    starting.failure.value = null;
  });
  const newest = useNewest(refusal, () => loadSteps(runId.value));
  void load();
  return {
    form: { ...form, issues },
    ...{ fields, shown, show, step, steps, dropped, toggle, seeds, name },
    ...{ failure, isLoaded, load, isReady, wishes },
    wrongWishes: wrong,
    projectId: computed(() => run.value?.project_id ?? null),
    ...{ plan: preview.plan, planFailure: preview.failure, isPlanning: preview.isBusy },
    start: starting.start,
    isStarting: starting.isBusy,
    startFailure: starting.failure,
    newest,
  };
}

/** A fork begins with what was in force when its checkpoint was written. */
function useBase(
  form: ReturnType<typeof useConfig>,
  run: Readonly<{ value: Run | null }>,
  step: Readonly<Ref<number | null>>,
) {
  let began: Config | null = null;
  function startFromCheckpoint(): void {
    began ??= form.base.value;
    form.rebase(inForce(began, run.value?.config_changes ?? [], step.value ?? undefined));
  }
  watch(step, () => {
    if (began !== null) startFromCheckpoint();
  });
  return { startFromCheckpoint };
}

function useOpenFields({ recipe, fields }: ReturnType<typeof useConfig>) {
  return computed(() => {
    const name = recipe.value?.name as RecipeName | undefined;
    return name === undefined ? [] : openFields(name, fields.value);
  });
}

/** The newest checkpoint, where the chosen one was removed while the form was open; the list is read anew then. */
function useNewest(failure: () => unknown, readAnew: () => Promise<void>) {
  const newest = computed(() => newestKept(failure()));
  watch(newest, (step) => {
    // Without an answer the list stays as it was; the way on is offered all the same.
    if (step !== null) readAnew().catch((error) => console.warn(error));
  });
  return newest;
}

/** What it asks of the queue; nothing of that is taken over from the parent. */
function useWishes() {
  const wishes = reactive<Wishes>({ ...NO_WISHES });
  return { wishes, wrong: computed(() => wrongWishes(wishes)) };
}

/** Which checkpoint; it lives in the address. */
function useCheckpoint() {
  const route = useRoute();
  const router = useRouter();
  const steps = shallowRef<ReturnType<typeof forkableSteps>>([]);
  const asked = Number(route.query.step);
  const step = ref<number | null>(Number.isInteger(asked) && asked > 0 ? asked : null);
  watch(step, (next) => {
    void router.replace({ query: next === null ? {} : { step: String(next) } });
  });
  async function loadSteps(runId: number): Promise<void> {
    const { files } = await api.call(listRunFiles, { params: { run_id: runId } });
    steps.value = forkableSteps(files);
    step.value ??= steps.value[0]?.step ?? null;
  }
  return { step, steps, loadSteps };
}

type Request = ReturnType<typeof requestOf>;

/** The server's plan of what stands in the form; the last one stays while the next is made. */
function usePreview(
  runId: Readonly<{ value: number }>,
  request: Readonly<{ value: Request }>,
  isReady: Readonly<{ value: boolean }>,
) {
  const plan = shallowRef<ForkPlan | null>(null);
  const failure = shallowRef<unknown>(null);
  const isBusy = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reading = new AbortController();
  async function read(): Promise<void> {
    reading.abort();
    reading = new AbortController();
    const { signal } = reading;
    try {
      const params = { run_id: runId.value };
      plan.value = await api.call(previewForks, { params, body: request.value }, { signal });
      failure.value = null;
    } catch (error) {
      if (signal.aborted) return;
      failure.value = error;
      plan.value = null;
    }
    if (!signal.aborted) isBusy.value = false;
  }
  watch(
    [() => JSON.stringify(request.value), () => isReady.value],
    ([, ready]) => {
      clearTimeout(timer);
      if (!ready) return;
      isBusy.value = true;
      timer = setTimeout(() => void read(), PREVIEW_MS);
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    clearTimeout(timer);
    reading.abort();
  });
  return { plan, failure, isBusy };
}

/** One id for each try: a second click makes no second fork. */
function useStart(runId: Readonly<{ value: number }>, request: Readonly<{ value: Request }>) {
  const router = useRouter();
  const isBusy = ref(false);
  const failure = shallowRef<unknown>(null);
  const newId = () => crypto.randomUUID?.() ?? `fork-${Date.now()}-${Math.random()}`;
  let clientId = newId();
  // Another wish is another fork, even where the answer to the first was lost.
  watch(
    () => JSON.stringify(request.value),
    () => {
      clientId = newId();
    },
  );
  async function start(): Promise<void> {
    isBusy.value = true;
    failure.value = null;
    try {
      const body = { ...request.value, client_id: clientId };
      const { runs } = await api.call(createForks, { params: { run_id: runId.value }, body });
      const [first] = runs;
      if (first !== undefined)
        await router.push(`/runs/${first.id}/${runs.length === 1 ? "charts" : "lineage"}`);
    } catch (error) {
      failure.value = error;
    } finally {
      isBusy.value = false;
    }
  }
  return { isBusy, failure, start };
}
