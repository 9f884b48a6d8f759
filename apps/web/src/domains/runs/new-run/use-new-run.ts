// The form of a new training: its config, its name and tags, the draft in the address, and the start.
import { type BodyInputOf, createRun } from "@spotter/contract";
import { computed, onScopeDispose, ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { useRoute, useRouter } from "vue-router";
import { api } from "../../../platform/api.ts";
import { issuesOf } from "../../../platform/failure.ts";
import { useProjects } from "../../projects/use-projects.ts";
import { differencesOf } from "./prepare-config.ts";
import { draftAddress, readDraft } from "./prepare-draft.ts";
import { useConfig } from "./use-config.ts";

/** Typing must not write an address for every letter. */
const DRAFT_MS = 300;

export function useNewRun() {
  const route = useRoute();
  const router = useRouter();
  const form = useConfig();
  const draft = readDraft(route.query);
  const name = ref(draft.name);
  const tags = ref(draft.tags);
  const projectId = ref(useProjects().current?.id);
  const failure = shallowRef<unknown>(null);
  const starting = useStart();
  let draftTimer: ReturnType<typeof setTimeout> | undefined;
  let isLeaving = false;

  async function load(): Promise<void> {
    try {
      const parentName = await form.load(draft);
      if (name.value === "" && parentName !== null) name.value = parentName;
      failure.value = null;
    } catch (error) {
      failure.value = error;
    }
  }

  async function start(): Promise<void> {
    const recipe = form.recipe.value;
    if (recipe === null || form.problems.value.size > 0) return;
    const runId = await starting.start({
      recipe: recipe.name,
      config: differencesOf(form.config.value, form.defaults.value),
      tags: tagsOf(tags.value),
      ...(name.value.trim() === "" ? {} : { name: name.value.trim() }),
      ...(projectId.value === undefined ? {} : { project_id: projectId.value }),
    });
    if (runId === null) return;
    // The draft's address, written while the run's page is still being loaded, would call the way there off.
    isLeaving = true;
    clearTimeout(draftTimer);
    await router.push(`/runs/${runId}/charts`).finally(() => {
      isLeaving = false;
    });
  }

  watch([form.recipe, form.changed, name, tags], () => {
    starting.failure.value = null;
    clearTimeout(draftTimer);
    if (isLeaving) return;
    draftTimer = setTimeout(() => {
      const query = draftAddress({
        from: draft.from,
        recipe: form.recipe.value?.name ?? null,
        name: name.value,
        tags: tags.value,
        config: form.changed.value,
      });
      void router.replace({ query });
    }, DRAFT_MS);
  });
  onScopeDispose(() => clearTimeout(draftTimer));

  void load();
  return {
    ...form,
    name,
    tags,
    projectId,
    parentId: draft.from,
    failure,
    startFailure: starting.failure,
    issues: starting.issues,
    isStarting: starting.isBusy,
    retry: load,
    start,
  };
}

export type NewRun = ReturnType<typeof useNewRun>;

/** One id for each try: a second click, or a repeat after a lost answer, makes no second run. */
function useStart() {
  const isBusy = ref(false);
  const failure = shallowRef<unknown>(null);
  const { t, te, locale } = useI18n();
  const issues = computed(() => issuesOf(failure.value, { t, te, locale: locale.value }));
  let clientId = newId();

  async function start(body: BodyInputOf<typeof createRun>): Promise<number | null> {
    isBusy.value = true;
    failure.value = null;
    try {
      return (await api.call(createRun, { body: { ...body, client_id: clientId } })).id;
    } catch (error) {
      failure.value = error;
      // What was refused was not made; the corrected form is another run.
      if (issuesOf(error).size > 0) clientId = newId();
      return null;
    } finally {
      isBusy.value = false;
    }
  }

  return { isBusy, failure, issues, start };
}

function tagsOf(text: string): string[] {
  return text
    .split(/[,，]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}

/** `randomUUID` exists on secure pages only. */
function newId(): string {
  return crypto.randomUUID?.() ?? `form-${Date.now()}-${Math.random()}`;
}
