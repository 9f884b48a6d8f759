// The run of the page: read once, kept current by the live stream, and the commands that people gave to it.
import {
  ACTIVE_STATES,
  FINAL_STATES,
  getRun,
  type LiveEvent,
  listRunCommands,
  type Run,
  type RunCommand,
  type RunSummary,
} from "@spotter/contract";
import {
  computed,
  type InjectionKey,
  inject,
  onScopeDispose,
  provide,
  type Ref,
  ref,
  shallowRef,
  watch,
} from "vue";
import { api } from "../../../platform/api.ts";
import { useLive } from "../../../platform/live/use-live.ts";

export interface RunContext {
  readonly runId: Readonly<Ref<number>>;
  readonly run: Readonly<Ref<Run | null>>;
  readonly failure: Readonly<Ref<unknown>>;
  readonly commands: Readonly<Ref<readonly RunCommand[]>>;
  readonly isActive: Readonly<Ref<boolean>>;
  readonly isFinal: Readonly<Ref<boolean>>;
  /** Viewers see, members act. */
  readonly mayControl: Readonly<Ref<boolean>>;
  /** Unix seconds, renewed each second. */
  readonly now: Readonly<Ref<number>>;
  load(): Promise<void>;
  replace(run: Run): void;
  putCommand(command: RunCommand): void;
  /** Every live event of this run but metrics. */
  onEvent(listener: (event: LiveEvent) => void): () => void;
  /** The connection was broken: logs, files and commands of that time were not told and must be read again. */
  onReconnected(listener: () => void): () => void;
}

const key: InjectionKey<RunContext> = Symbol("run");

export function useRun(): RunContext {
  const context = inject(key);
  if (context === undefined)
    throw new Error("This part of a run's page needs provideRun() above it");
  return context;
}

export function provideRun(runId: Ref<number>): RunContext {
  const run = shallowRef<Run | null>(null);
  const failure = shallowRef<unknown>(null);
  const commands = shallowRef<readonly RunCommand[]>([]);
  const listeners = new Set<(event: LiveEvent) => void>();
  const reconnected = new Set<() => void>();

  async function load(): Promise<void> {
    const id = runId.value;
    const params = { run_id: id };
    try {
      const [loaded, given] = await Promise.all([
        api.call(getRun, { params }),
        api.call(listRunCommands, { params }),
      ]);
      if (runId.value !== id) return;
      run.value = loaded;
      commands.value = given.commands;
      failure.value = null;
    } catch (error) {
      if (runId.value === id) failure.value = error;
    }
  }
  function putCommand(command: RunCommand): void {
    const others = commands.value.filter((known) => known.id !== command.id);
    commands.value = [...others, command].sort((a, b) => a.id - b.id);
  }
  function take(event: LiveEvent): void {
    if (event.type === "run-changed" && event.run.id === runId.value && run.value !== null) {
      const before = run.value;
      run.value = { ...before, ...event.run };
      if (saysMore(before, event.run)) void load();
    }
    if (event.type === "command-changed" && event.run_id === runId.value) {
      putCommand(event.command);
      if (hasChangedConfig(event.command)) void load();
    }
    for (const listener of listeners) listener(event);
  }
  useRunStream(runId, take, () => {
    void load();
    for (const listener of reconnected) listener();
  });
  watch(
    runId,
    () => {
      run.value = null;
      void load();
    },
    { immediate: true },
  );
  const context: RunContext = {
    runId,
    run,
    failure,
    commands,
    isActive: computed(() => run.value !== null && ACTIVE_STATES.includes(run.value.state)),
    isFinal: computed(() => run.value !== null && FINAL_STATES.includes(run.value.state)),
    mayControl: computed(() => run.value !== null && run.value.role !== "viewer"),
    now: useNow(),
    load,
    replace: (next) => {
      run.value = next;
    },
    putCommand,
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onReconnected: (listener) => {
      reconnected.add(listener);
      return () => reconnected.delete(listener);
    },
  };
  provide(key, context);
  return context;
}

/** Error, attempts and what the model is come only with the whole run. */
function saysMore(before: RunSummary, after: RunSummary): boolean {
  const hasBegun = before.progress === null && after.progress !== null;
  return before.state !== after.state || hasBegun;
}

/** What has been changed comes with the whole run too. */
function hasChangedConfig({ action, state }: RunCommand): boolean {
  return state === "done" && (action === "set" || action === "revert");
}

function useRunStream(
  runId: Ref<number>,
  take: (event: LiveEvent) => void,
  readAgain: () => void,
): void {
  const request = () => ({
    runIds: [runId.value],
    topics: ["runs", "logs", "files", "commands"] as const,
  });
  const subscription = useLive().watch(request(), {
    onEvent: take,
    onGap: readAgain,
    onReconnected: readAgain,
  });
  watch(runId, () => subscription.update(request()));
  onScopeDispose(() => subscription.close());
}

function useNow(): Ref<number> {
  const now = ref(Date.now() / 1000);
  const timer = setInterval(() => {
    now.value = Date.now() / 1000;
  }, 1000);
  onScopeDispose(() => clearInterval(timer));
  return now;
}
