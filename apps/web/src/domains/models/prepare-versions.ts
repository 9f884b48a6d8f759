// Which metrics a table of versions shows: the one asked for, then what was tested first; a few at most.
import type { ModelVersion } from "@spotter/contract";
import { formatCount } from "../../platform/format/index.ts";

const MAX_COLUMNS = 3;
const ORDER = ["test/", "val/", ""];
/** What a run is judged by comes before what explains it. */
const JUDGING = /(^|[/_])(accuracy|loss|perplexity|f1|bleu)$/;

const isJudging = (name: string) => JUDGING.test(name);

type Measured = Pick<ModelVersion, "metrics">;

/** What any of the versions has: test before validation before the rest. */
export function metricNames(versions: readonly Measured[]): string[] {
  const names = [...new Set(versions.flatMap(({ metrics }) => Object.keys(metrics)))];
  const rank = (name: string) =>
    2 * ORDER.findIndex((prefix) => name.startsWith(prefix)) + (isJudging(name) ? 0 : 1);
  return names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** @param first shown in any case, and first; empty for none */
export function metricColumns(versions: readonly Measured[], first = ""): string[] {
  const names = metricNames(versions).filter((name) => name !== first);
  const others = [...names.filter(isJudging), ...names.filter((name) => !isJudging(name))];
  return (first === "" ? others : [first, ...others]).slice(0, MAX_COLUMNS);
}

/** A git revision is known by its beginning; what has none is told by the hash of its files. */
export function revisionText(code: ModelVersion["code_revision"]): string | null {
  if (code === null) return null;
  const [kind, hash] = code.revision.split(":");
  const short = hash === undefined ? code.revision.slice(0, 12) : `${kind}:${hash.slice(0, 12)}`;
  return code.dirty ? `${short}*` : short;
}

/** Of the whole model; where the file holds only what LoRA learnt beside it, that is said, for the size is the file's. */
export function parametersText(
  version: Pick<ModelVersion, "recipe" | "config" | "num_parameters">,
  t: (key: string, named: Record<string, string>) => string,
): string {
  const count = formatCount(version.num_parameters);
  const { recipe, config, num_parameters } = version;
  const isAdapter =
    recipe === "text-finetune" && config.method === "lora" && config.merge === false;
  return isAdapter && num_parameters !== null
    ? t("models.parametersWithAdapter", { count })
    : count;
}
