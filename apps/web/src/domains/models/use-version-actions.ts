// Deletes and restores versions, each by itself, so that one refusal does not hide the others' success.
import { deleteModelVersion, type ModelVersion, restoreModelVersion } from "@spotter/contract";
import { useI18n } from "vue-i18n";
import { api } from "../../platform/api.ts";
import { describeFailure } from "../../platform/failure.ts";
import { useToasts } from "../../platform/toasts.ts";

export function useVersionActions(onDone: () => void) {
  const toasts = useToasts();
  const { t, te, locale } = useI18n();
  const removeOne = (version: ModelVersion) =>
    api.call(deleteModelVersion, { params: { version_id: version.id } });
  const restoreOne = (version: ModelVersion) =>
    api.call(restoreModelVersion, { params: { version_id: version.id } });

  async function remove(versions: readonly ModelVersion[]): Promise<void> {
    const done = await forEach(versions, removeOne);
    onDone();
    if (done.length === 0) return;
    toasts.show({
      kind: "done",
      text: t("models.deletedNow", { n: done.length }, done.length),
      action: { label: t("app.undo"), run: () => void restore(done) },
    });
  }

  async function restore(versions: readonly ModelVersion[]): Promise<void> {
    await forEach(versions, restoreOne);
    onDone();
  }

  /** @returns the versions for which it worked; the others are told with their reason. */
  async function forEach(
    versions: readonly ModelVersion[],
    act: (version: ModelVersion) => Promise<unknown>,
  ): Promise<ModelVersion[]> {
    const done: ModelVersion[] = [];
    for (const version of versions) {
      try {
        await act(version);
        done.push(version);
      } catch (failure) {
        const { sentence } = describeFailure(failure, { t, te, locale: locale.value });
        toasts.show({ kind: "failed", text: `${version.name} v${version.version}: ${sentence}` });
      }
    }
    return done;
  }

  return { remove, restore };
}
