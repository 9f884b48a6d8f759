// What the numbers in a config's sources are called: model versions and versions of datasets.
import { getModelVersion, listDatasets } from "@spotter/contract";
import { shallowRef, watch } from "vue";
import { useI18n } from "vue-i18n";
import { api } from "../../platform/api.ts";
import { describeFailure } from "../../platform/failure.ts";
import { type NumberedSource, numberedSource } from "./prepare-source-names.ts";

/**
 * @param sources whatever may be a source; what is none is passed over
 * @returns the name of a source; null for what has no number, and until its name is known
 */
export function useSourceNames(sources: () => readonly unknown[]) {
  const { t, te, locale } = useI18n();
  const names = shallowRef<ReadonlyMap<string, string>>(new Map());

  async function learn(source: NumberedSource): Promise<void> {
    const found = await namesOf(source).catch((error: unknown) => {
      // Deleted, or of a project that is closed to the reader: said in place of the name.
      const { sentence } = describeFailure(error, { t, te, locale: locale.value });
      return [[source.key, `${source.id} (${sentence})`]] as const;
    });
    names.value = new Map([...names.value, ...found]);
  }
  watch(
    () => sources().flatMap((value) => numberedSource(value) ?? []),
    (wanted) => {
      const unknown = wanted.filter(({ key }) => !names.value.has(key));
      for (const source of new Map(unknown.map((one) => [one.key, one])).values())
        void learn(source);
    },
    { immediate: true },
  );

  return (value: unknown): string | null =>
    names.value.get(numberedSource(value)?.key ?? "") ?? null;
}

async function namesOf({ kind, id, key }: NumberedSource) {
  if (kind === "model_version") {
    const { name, version } = await api.call(getModelVersion, { params: { version_id: id } });
    return [[key, `${name} v${version}`]] as const;
  }
  const { datasets } = await api.call(listDatasets, { query: {} });
  return datasets.flatMap(({ name, versions }) =>
    versions.map(
      (version) => [`dataset_version ${version.id}`, `${name} v${version.version}`] as const,
    ),
  );
}
