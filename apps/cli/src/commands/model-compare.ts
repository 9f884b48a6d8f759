// models compare: metrics of versions side by side, and their configs where they differ.
import { fetchModelVersion } from "@spotter/client";
import { type ModelVersionDetail, setDifferences } from "@spotter/contract";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { metric } from "../format.ts";
import { versionIdOf } from "../lookup.ts";
import { table } from "../table.ts";
import { nameOf } from "./model-views.ts";

const MAX_VERSIONS = 8;

export async function compareVersions(context: Context, words: string[]): Promise<void> {
  if (words.length < 2 || words.length > MAX_VERSIONS)
    throw new UsageProblem(`Comparing takes 2 to ${MAX_VERSIONS} versions.`);
  const client = context.client();
  const versions: ModelVersionDetail[] = [];
  for (const word of words)
    versions.push(await fetchModelVersion(client, await versionIdOf(client, word)));
  if (context.json) return context.answer({ versions });
  const names = [...new Set(versions.flatMap(({ metrics }) => Object.keys(metrics)))].sort();
  const rows = names.map((name) => [
    printable(name),
    ...versions.map(({ metrics }) => metric(name, metrics[name])),
  ]);
  const head = ["", ...versions.map(nameOf)];
  context.say(table(head, rows, head.map((_, index) => index).slice(1)));
  for (const part of ["test", "val"] as const) {
    const apart = setDifferences(versions, part).join(", ");
    if (apart !== "")
      context.note(
        context.text(
          `The versions were measured on different examples (${apart}): ${part}/ metrics do not say which is better.`,
          `这些版本在不同的样本上测得（${apart}）：${part}/ 指标不能说明孰优孰劣。`,
        ),
      );
  }
  const differences = configDifferences(versions);
  if (differences.length === 0) {
    context.say(context.text("\nThe configs are the same.", "\n配置相同。"));
    return;
  }
  context.say("");
  context.say(table(head, differences));
}

/** The config's own fields that differ; a field of several parts counts as one. */
function configDifferences(versions: readonly ModelVersionDetail[]): string[][] {
  const keys = [...new Set(versions.flatMap(({ config }) => Object.keys(config)))].sort();
  return keys
    .map((key) => [key, ...versions.map((version) => valueText(version, key))])
    .filter(([, ...values]) => new Set(values).size > 1);
}

/** The version that training began from is called by its name; every other by what the commands know it by. */
function valueText({ config, parent }: ModelVersionDetail, key: string): string {
  const value = config[key];
  if (value === undefined || value === null) return "–";
  const id = typeof value === "object" && "model_version" in value ? value.model_version : null;
  if (id === null) return printable(JSON.stringify(value));
  return parent !== null && parent.id === id ? nameOf(parent) : `id${id}`;
}
