// One pre-flight of the form: started by hand, followed until it is over, cancelled when nobody waits any more.
import { followPreflight } from "@spotter/client";
import type { Preflight } from "@spotter/contract";
import { computed, onScopeDispose, ref, shallowRef, watch } from "vue";
import { api } from "../../../../platform/api.ts";
import { differencesOf } from "../prepare-config.ts";
import type { Config } from "../prepare-fields.ts";

export interface PreflightSubject {
  readonly recipe: { readonly value: { readonly name: string } | null };
  readonly config: { readonly value: Config };
  readonly defaults: { readonly value: Config };
  readonly projectId: { readonly value: number | undefined };
}

export function usePreflight(form: PreflightSubject) {
  const look = shallowRef<Preflight | null>(null);
  const failure = shallowRef<unknown>(null);
  const isBusy = ref(false);
  /** What was looked at, to see when the form has gone on since. */
  const checked = ref("");
  const subject = computed(() => JSON.stringify([form.recipe.value?.name, form.config.value]));
  /** Counts starts: an earlier one that still answers is not listened to any more. */
  let turn = 0;

  async function start(): Promise<void> {
    const recipe = form.recipe.value;
    if (recipe === null) return;
    const own = ++turn;
    isBusy.value = true;
    failure.value = null;
    checked.value = subject.value;
    const projectId = form.projectId.value;
    try {
      const looks = followPreflight(api, {
        recipe: recipe.name as "vision",
        config: differencesOf(form.config.value, form.defaults.value),
        ...(projectId === undefined ? {} : { project_id: projectId }),
      });
      for await (const next of looks) {
        // Leaving the loop ends the generator, which cancels the job.
        if (own !== turn) return;
        look.value = next;
      }
    } catch (error) {
      if (own === turn) failure.value = error;
    } finally {
      if (own === turn) isBusy.value = false;
    }
  }

  function stop(): void {
    turn++;
    isBusy.value = false;
  }
  onScopeDispose(stop);
  // What was found out about one recipe says nothing about another.
  watch(
    () => form.recipe.value?.name,
    () => {
      stop();
      look.value = null;
      failure.value = null;
      checked.value = "";
    },
  );

  const isStale = computed(() => checked.value !== "" && checked.value !== subject.value);
  const report = computed(() => look.value?.report ?? null);
  /** Of a whole look at the form as it stands; null where there is none. */
  const verdict = computed(() =>
    isBusy.value || isStale.value ? null : (report.value?.verdict ?? null),
  );
  return { look, report, failure, isBusy, isStale, verdict, start, stop };
}

export type PreflightState = ReturnType<typeof usePreflight>;
