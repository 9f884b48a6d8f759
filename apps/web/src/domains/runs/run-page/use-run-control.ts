// Gives commands to the run and says what came of them; what ends the run asks first, in place.
import {
  controlTraining,
  deleteRun,
  type RunCommand,
  restoreRun,
  resumeRun,
  updateRun,
} from "@spotter/contract";
import { computed, onScopeDispose, type Ref, ref, shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import { api } from "../../../platform/api.ts";
import { describeFailure, isUnreachable } from "../../../platform/failure.ts";
import { useLive } from "../../../platform/live/use-live.ts";
import { useToasts } from "../../../platform/toasts.ts";
import type { ControlName, Controls } from "./prepare-controls.ts";
import { useRun } from "./use-run.ts";

export interface RunControl {
  /** Sends a command of the bar. */
  give(name: ControlName): Promise<void>;
  menuAction(name: Controls["menu"][number]): Promise<void>;
  /** Why the last one was not taken; null when it was. */
  refusal: Readonly<Ref<string | null>>;
  /** The command on its way to the server. */
  sending: Ref<ControlName | null>;
  /** Stop or cancel, waiting for a second word; giving it again is that word. */
  asking: Ref<ControlName | null>;
}

export function useRunControl(): RunControl {
  const { t, te, locale } = useI18n();
  const context = useRun();
  const remove = useRemoval();
  const failure = shallowRef<unknown>(null);
  const refusal = computed(() =>
    failure.value === null
      ? null
      : describeFailure(failure.value, { t, te, locale: locale.value }).sentence,
  );
  const sending = ref<ControlName | null>(null);
  const asking = ref<ControlName | null>(null);

  async function attempt(work: () => Promise<void>): Promise<void> {
    failure.value = null;
    try {
      await work();
    } catch (error) {
      failure.value = error;
    } finally {
      sending.value = null;
    }
  }
  async function give(name: ControlName): Promise<void> {
    if ((name === "stop" || name === "cancel") && asking.value !== name) {
      asking.value = name;
      return;
    }
    asking.value = null;
    sending.value = name;
    await attempt(async () => {
      const body = { action: name, run_id: context.runId.value };
      const answer = await api.call(controlTraining, { body });
      if (answer.command !== null) putUnlessNewer(context.commands.value, answer.command, context);
      const run = context.run.value;
      if (run !== null && run.state !== answer.state)
        context.replace({ ...run, state: answer.state });
    });
  }
  async function menuAction(name: Controls["menu"][number]): Promise<void> {
    if (name === "cancel") return give("cancel");
    const params = { run_id: context.runId.value };
    await attempt(async () => {
      if (name === "resume-run") context.replace(await api.call(resumeRun, { params }));
      else if (name === "delete") await remove();
      else {
        const body = { archived: name === "archive" };
        context.replace(await api.call(updateRun, { params, body }));
      }
    });
  }
  forgetWhenReached(failure);
  return { give, menuAction, refusal, sending, asking };
}

/** "The server does not answer" is true only until it does: the stream is the first to know. */
function forgetWhenReached(failure: Ref<unknown>): void {
  const live = useLive();
  const context = useRun();
  const forget = () => {
    if (isUnreachable(failure.value)) failure.value = null;
  };
  watch(live.state, (state) => {
    if (state === "live" || state === "polling") forget();
  });
  const ends = [context.onEvent(forget), context.onReconnected(forget)];
  onScopeDispose(() => {
    for (const end of ends) end();
  });
}

/** The worker may have answered, over the stream, before the server's own answer came. */
function putUnlessNewer(
  known: readonly RunCommand[],
  command: RunCommand,
  context: { putCommand(command: RunCommand): void },
): void {
  const settled = known.some((other) => other.id === command.id && other.state !== "sent");
  if (!settled) context.putCommand(command);
}

/** Deletes the run and leaves its page; a note offers to bring it back. */
function useRemoval(): () => Promise<void> {
  const { t } = useI18n();
  const router = useRouter();
  const toasts = useToasts();
  const { runId } = useRun();
  return async () => {
    const params = { run_id: runId.value };
    await api.call(deleteRun, { params });
    await router.push("/runs");
    const undo = async () => {
      try {
        await api.call(restoreRun, { params });
        await router.push(`/runs/${params.run_id}`);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        toasts.show({ kind: "failed", text });
      }
    };
    toasts.show({
      kind: "done",
      text: t("runPage.deleted", { id: params.run_id }),
      action: { label: t("app.undo"), run: () => void undo() },
    });
  };
}
