// The form of a new training: its config, its names and tags, and the start.
import { type BodyInputOf, type ConfigChange, createRun } from "@spotter/contract";
import { computed, reactive, ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { useRoute } from "vue-router";
import { api } from "../../../platform/api.ts";
import { issuesOf } from "../../../platform/failure.ts";
import { useProjects } from "../../projects/use-projects.ts";
import { differencesOf } from "./prepare-config.ts";
import { readDraft } from "./prepare-draft.ts";
import { readWishes, wishBody, writeWishes, wrongWishes } from "./prepare-wishes.ts";
import { useConfig } from "./use-config.ts";
import { useDraftAddress } from "./use-draft-address.ts";

export function useNewRun() {
  const route = useRoute();
  const form = useConfig();
  const draft = readDraft(route.query);
  const name = ref(draft.name);
  const modelName = ref(draft.model);
  const tags = ref(draft.tags);
  const projectId = ref(useProjects().current?.id);
  const failure = shallowRef<unknown>(null);
  const parentChanges = shallowRef<readonly ConfigChange[]>([]);
  const wishes = reactive(readWishes(draft.queue));
  const wrong = computed(() => wrongWishes(wishes));
  const starting = useStart();
  const address = useDraftAddress(() => ({
    from: draft.from,
    recipe: form.recipe.value?.name ?? null,
    name: name.value,
    model: modelName.value,
    tags: tags.value,
    config: form.changed.value,
    queue: writeWishes(wishes),
  }));

  async function load(): Promise<void> {
    try {
      const parent = await form.load(draft);
      if (name.value === "" && parent !== null) name.value = parent.name;
      parentChanges.value = parent?.config_changes ?? [];
      failure.value = null;
    } catch (error) {
      failure.value = error;
    }
  }

  async function start(): Promise<void> {
    const recipe = form.recipe.value;
    if (recipe === null || form.problems.value.size + wrong.value.size > 0) return;
    const runId = await starting.start({
      recipe: recipe.name,
      config: differencesOf(form.config.value, form.defaults.value),
      tags: tagsOf(tags.value),
      ...wishBody(wishes),
      ...(name.value.trim() === "" ? {} : { name: name.value.trim() }),
      ...(modelName.value.trim() === "" ? {} : { model_name: modelName.value.trim() }),
      ...(projectId.value === undefined ? {} : { project_id: projectId.value }),
    });
    if (runId !== null) await address.leave(`/runs/${runId}/charts`);
  }

  watch([form.recipe, form.changed, name, modelName, tags, wishes], () => {
    starting.failure.value = null;
  });

  void load();
  return {
    ...form,
    name,
    modelName,
    tags,
    wishes,
    wrongWishes: wrong,
    projectId,
    parentId: draft.from,
    parentChanges,
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
