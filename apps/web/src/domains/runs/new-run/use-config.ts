// A config being made: recipe, base to compare with, values, what differs and what is wrong.
import { getRun, listRecipes, type Recipe, type Run } from "@spotter/contract";
import { computed, type Ref, shallowRef } from "vue";
import { api } from "../../../platform/api.ts";
import { allProblemsOf, differencesOf, isSame } from "./prepare-config.ts";
import type { Draft } from "./prepare-draft.ts";
import { type Config, defaultsOf, fieldsOf, type Value } from "./prepare-fields.ts";

export function useConfig() {
  const recipes = shallowRef<Recipe[]>([]);
  const recipe = shallowRef<Recipe | null>(null);
  const base = shallowRef<Config>({});
  const config = shallowRef<Config>({});
  const fields = computed(() => (recipe.value === null ? [] : fieldsOf(recipe.value)));
  const defaults = computed(() => defaultsOf(fields.value));
  const changed = computed(() => differencesOf(config.value, base.value));
  const problems = computed(() => allProblemsOf(fields.value, config.value));

  /** Reads recipes and, for a copy, the run that is copied. @returns that run. */
  async function load(draft: Pick<Draft, "from" | "recipe" | "config">): Promise<Run | null> {
    recipes.value = (await api.call(listRecipes, {})).recipes;
    const parent =
      draft.from === null ? null : await api.call(getRun, { params: { run_id: draft.from } });
    const named = (name: string | null | undefined) =>
      recipes.value.find((entry) => entry.name === name);
    recipe.value = named(draft.recipe) ?? named(parent?.recipe) ?? recipes.value[0] ?? null;
    // Another recipe than the copied run's has nothing to compare with but its own defaults.
    const isCopy = parent !== null && parent.recipe === recipe.value?.name;
    base.value = { ...defaults.value, ...(isCopy ? (parent.config as Config) : {}) };
    config.value = { ...base.value, ...draft.config };
    return parent;
  }

  /** Other values to begin from; what was edited stays. */
  function rebase(next: Config): void {
    const edited = changed.value;
    base.value = next;
    config.value = { ...next, ...edited };
  }

  function choose(next: Recipe): void {
    // A click on the recipe that is chosen already must not throw the work away.
    if (next.name === recipe.value?.name) return;
    recipe.value = next;
    base.value = defaults.value;
    config.value = defaults.value;
  }

  function set(key: string, value: Value): void {
    config.value = { ...config.value, [key]: value };
  }

  /** Back to the base; a key that the base does not have goes away. */
  function reset(key: string): void {
    const { [key]: _gone, ...rest } = config.value;
    const before = base.value[key];
    config.value = before === undefined ? rest : { ...config.value, [key]: before };
  }

  const isChanged = (key: string): boolean => !isSame(config.value[key], base.value[key]);
  return {
    recipes,
    recipe,
    fields,
    defaults,
    base,
    config,
    changed,
    problems,
    load,
    rebase,
    choose,
    set,
    reset,
    isChanged,
  };
}

/** What one field needs to know of the form that it stands in. */
export type FieldForm = Pick<
  ReturnType<typeof useConfig>,
  "recipe" | "config" | "problems" | "set" | "reset" | "isChanged"
> & { readonly issues: Readonly<Ref<ReadonlyMap<string, string>>> };
