// Tag, archive and delete: each run by itself, so that one refusal does not hide the others' success.
import { deleteRun, type RunSummary, restoreRun, updateRun } from "@spotter/contract";
import { useI18n } from "vue-i18n";
import { api } from "../../../platform/api.ts";
import { describeFailure } from "../../../platform/failure.ts";
import { useToasts } from "../../../platform/toasts.ts";

export interface RunActionEvents {
  onChanged(run: RunSummary): void;
  onGone(ids: ReadonlySet<number>): void;
  onBack(): void;
}

export function useRunActions(events: RunActionEvents) {
  const toasts = useToasts();
  const { t, te, locale } = useI18n();

  async function addTag(runs: readonly RunSummary[], tag: string): Promise<void> {
    const lacking = runs.filter((run) => !run.tags.includes(tag));
    await forEach(lacking, async (run) => {
      const body = { tags: [...run.tags, tag].slice(-20) };
      events.onChanged(await api.call(updateRun, { params: { run_id: run.id }, body }));
    });
  }

  async function setArchived(runs: readonly RunSummary[], archived: boolean): Promise<void> {
    const done = await forEach(runs, async (run) => {
      await api.call(updateRun, { params: { run_id: run.id }, body: { archived } });
    });
    events.onGone(idsOf(done));
    offerUndo(
      t(archived ? "runs.archivedNow" : "runs.unarchivedNow", { n: done.length }, done.length),
      done,
      async (run) => {
        await api.call(updateRun, { params: { run_id: run.id }, body: { archived: !archived } });
      },
    );
  }

  async function remove(runs: readonly RunSummary[]): Promise<void> {
    const done = await forEach(runs, async (run) => {
      await api.call(deleteRun, { params: { run_id: run.id } });
    });
    events.onGone(idsOf(done));
    offerUndo(t("runs.deletedNow", { n: done.length }, done.length), done, async (run) => {
      await api.call(restoreRun, { params: { run_id: run.id } });
    });
  }

  function offerUndo(
    text: string,
    runs: readonly RunSummary[],
    undo: (run: RunSummary) => Promise<void>,
  ): void {
    if (runs.length === 0) return;
    const run = async (): Promise<void> => {
      await forEach(runs, undo);
      events.onBack();
    };
    toasts.show({ kind: "done", text, action: { label: t("app.undo"), run: () => void run() } });
  }

  /** @returns the runs for which it worked; the others are told with their reason. */
  async function forEach(
    runs: readonly RunSummary[],
    act: (run: RunSummary) => Promise<void>,
  ): Promise<RunSummary[]> {
    const done: RunSummary[] = [];
    for (const run of runs) {
      try {
        await act(run);
        done.push(run);
      } catch (failure) {
        const { sentence } = describeFailure(failure, { t, te, locale: locale.value });
        toasts.show({ kind: "failed", text: `${run.id} · ${run.name}: ${sentence}` });
      }
    }
    return done;
  }

  return { addTag, setArchived, remove };
}

function idsOf(runs: readonly RunSummary[]): ReadonlySet<number> {
  return new Set(runs.map((run) => run.id));
}
