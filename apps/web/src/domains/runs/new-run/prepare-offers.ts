// Which uploaded versions a recipe can learn from, as far as kind, file types and columns tell. Pure.
import {
  type Dataset,
  dataProblem,
  datasetKindOf,
  heldByVersion,
  RecipeName,
} from "@spotter/contract";
import type { Config } from "./prepare-fields.ts";

export interface Offer {
  id: number;
  label: string;
  /** Why it does not fit, as the server would say it; null where it does. */
  problem: string | null;
}

/** Versions of the recipe's kind; those of other kinds are none of its business. */
export function offeredOf(
  datasets: readonly Dataset[],
  recipe: string | null,
  config: Config,
): Offer[] {
  const known = RecipeName.safeParse(recipe);
  const wanted = known.success ? datasetKindOf(known.data) : null;
  return datasets
    .filter(({ kind }) => wanted === null || kind === wanted)
    .flatMap(({ name, versions }) =>
      versions.map((version) => ({
        id: version.id,
        label: `${name} · v${version.version}`,
        problem: known.success
          ? dataProblem(known.data, config, heldByVersion(name, version))
          : null,
      })),
    );
}
