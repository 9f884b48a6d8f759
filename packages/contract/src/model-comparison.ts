// Whether versions were measured on the same examples: only then do their numbers say which one is better.
import type { ModelVersion } from "./models.ts";

/** What versions and runs have in common here. */
export type Measured = Pick<ModelVersion, "config" | "metrics"> & {
  readonly data: { readonly source: unknown };
};

/** Config fields that choose the examples of the test set, besides the data itself. */
const OF_TEST = [
  "class_subset",
  "test_fraction",
  "split_seed",
  "num_images",
  "num_objects",
  "language",
  "data_seed",
] as const;
/** What is left after the test set was taken is split once more. */
const OF_VALIDATION = [...OF_TEST, "validation_fraction", "validation_tokens"] as const;

/**
 * By what the test or validation sets of versions differ: `data`, or fields of the config; empty where they are the
 * same, as far as configs tell, or where fewer than two versions were measured.
 * @example setDifferences(versions, "test") // ["data", "split_seed"]
 */
export function setDifferences(versions: readonly Measured[], part: "test" | "val"): string[] {
  const measured = versions.filter(({ metrics }) =>
    Object.keys(metrics).some((name) => name.startsWith(`${part}/`)),
  );
  const differ = (of: (version: (typeof measured)[number]) => unknown) =>
    new Set(measured.map((version) => JSON.stringify(of(version) ?? null))).size > 1;
  return [
    ...(differ(({ data }) => data.source) ? ["data"] : []),
    ...(part === "test" ? OF_TEST : OF_VALIDATION).filter((key) =>
      differ(({ config }) => config[key]),
    ),
  ];
}
