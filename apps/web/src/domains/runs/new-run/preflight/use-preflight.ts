// The pre-flight of the form: what is free by itself a moment after a change, all of it on demand; followed until it is
// over, cancelled when nobody waits any more.
import { followPreflight } from "@spotter/client";
import {
  type BodyInputOf,
  FINAL_STATES,
  type Preflight,
  type startPreflight,
} from "@spotter/contract";
import { computed, onScopeDispose, type Ref, ref, shallowRef, watch } from "vue";
import { api } from "../../../../platform/api.ts";
import { differencesOf } from "../prepare-config.ts";
import type { Config } from "../prepare-fields.ts";
import { freeSubject } from "./prepare-preflight.ts";

/** A ready language model may have to be fetched first, and its packages too: gigabytes that nobody has asked for. */
const BY_HAND_ONLY: readonly string[] = ["text-finetune"];
/** So long nothing is changed before it is looked at. */
const PAUSE_MS = 600;
/** A look that nobody asked for takes less of the machine than one that somebody did. */
const FREE_BUDGET_S = 8;

export interface PreflightSubject {
  readonly recipe: { readonly value: { readonly name: string } | null };
  readonly config: { readonly value: Config };
  readonly defaults: { readonly value: Config };
  readonly projectId: { readonly value: number | undefined };
}

/** @param mayLook whether this form, as it stands, may be looked at by itself */
export function usePreflight(form: PreflightSubject, mayLook: Readonly<Ref<boolean>>) {
  const looks = useLooks();
  /** What was looked at, to see when the form has gone on since. */
  const checked = ref("");
  const subject = computed(() => JSON.stringify([form.recipe.value?.name, form.config.value]));
  const looksByItself = computed(() => !BY_HAND_ONLY.includes(form.recipe.value?.name ?? ""));

  function begin(trials: boolean): Promise<void> {
    checked.value = subject.value;
    const projectId = form.projectId.value;
    return looks.begin({
      recipe: form.recipe.value?.name as "vision",
      config: differencesOf(form.config.value, form.defaults.value),
      trials,
      ...(projectId === undefined ? {} : { project_id: projectId }),
      ...(trials ? {} : { budget_s: FREE_BUDGET_S }),
    });
  }

  // What was found out about one recipe says nothing about another.
  watch(
    () => form.recipe.value?.name,
    () => {
      looks.forget();
      checked.value = "";
    },
  );
  const isFree = computed(() => mayLook.value && looksByItself.value);
  lookByItself(form, isFree, (isGone) => {
    // Whoever has asked for the whole look gets it, of the form as it was then.
    if (looks.isBusy.value && looks.isWhole.value) return;
    if (isGone) looks.stop();
    else void begin(false);
  });

  const isStale = computed(() => checked.value !== "" && checked.value !== subject.value);
  const report = computed(() => looks.look.value?.report ?? null);
  /** Of a finished look at the form as it stands; null where there is none. */
  const verdict = computed(() =>
    looks.isBusy.value || isStale.value ? null : (report.value?.verdict ?? null),
  );
  return {
    ...looks,
    looksByItself,
    report,
    isStale,
    verdict,
    start: () => begin(true),
    again: () => begin(looks.isWhole.value),
  };
}

export type PreflightState = ReturnType<typeof usePreflight>;

/** One look at a time, and the newest: the form must not wait in the queue behind itself. */
function useLooks() {
  /** What is shown, and what is followed: the same, but for a free look while there is an older report to show. */
  const look = shallowRef<Preflight | null>(null);
  const current = shallowRef<Preflight | null>(null);
  const failure = shallowRef<unknown>(null);
  const isBusy = ref(false);
  const isWhole = ref(false);
  /** Counts looks: an earlier one that still answers is not listened to any more. */
  let turn = 0;
  let following: Promise<void> = Promise.resolve();

  function begin(request: BodyInputOf<typeof startPreflight>): Promise<void> {
    const own = ++turn;
    isBusy.value = true;
    isWhole.value = request.trials !== false;
    failure.value = null;
    current.value = null;
    // The one before is cancelled first: it has the place that this one needs.
    following = following.then(() => (own === turn ? follow(own, request) : undefined));
    return following;
  }

  async function follow(own: number, request: BodyInputOf<typeof startPreflight>): Promise<void> {
    // Nothing flickers while one types: an older report stays until the free look has seen all.
    const grows = isWhole.value || !look.value?.report;
    try {
      for await (const next of followPreflight(api, request)) {
        // Leaving the loop ends the generator, which cancels the job.
        if (own !== turn) return;
        current.value = next;
        if (grows || FINAL_STATES.includes(next.state)) look.value = next;
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
  function forget(): void {
    stop();
    look.value = null;
    failure.value = null;
  }
  onScopeDispose(stop);
  return { look, current, failure, isBusy, isWhole, begin, stop, forget };
}

/**
 * Asks for a look once the form rests, and tells at once when what is being looked at is gone.
 * The defaults are known to work, so that a form that was only opened costs nothing.
 */
function lookByItself(
  form: PreflightSubject,
  mayLook: Readonly<Ref<boolean>>,
  ask: (isGone: boolean) => void,
): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wanted = computed(() => {
    const differences = differencesOf(form.config.value, form.defaults.value);
    if (!mayLook.value || Object.keys(differences).length === 0) return null;
    return freeSubject(form.recipe.value?.name, form.config.value);
  });
  watch(
    wanted,
    (next, before) => {
      clearTimeout(timer);
      if (before !== undefined && before !== null) ask(true);
      if (next !== null) timer = setTimeout(() => ask(false), PAUSE_MS);
    },
    { immediate: true },
  );
  onScopeDispose(() => clearTimeout(timer));
}
