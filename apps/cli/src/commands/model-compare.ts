// models compare: metrics of versions side by side, and their configs where they differ.
import { fetchModelVersion } from "@spotter/client";
import type { ModelVersionDetail } from "@spotter/contract";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { number } from "../format.ts";
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
    ...versions.map(({ metrics }) => number(metrics[name])),
  ]);
  const head = ["", ...versions.map(nameOf)];
  context.say(table(head, rows, head.map((_, index) => index).slice(1)));
  const differences = configDifferences(versions.map(({ config }) => config));
  if (differences.length === 0) {
    context.say(context.text("\nThe configs are the same.", "\n配置相同。"));
    return;
  }
  context.say("");
  context.say(table(head, differences));
}

/** The config's own fields that differ; a field of several parts counts as one. */
function configDifferences(configs: readonly Readonly<Record<string, unknown>>[]): string[][] {
  const keys = [...new Set(configs.flatMap((config) => Object.keys(config)))].sort();
  return keys
    .map((key) => [key, ...configs.map((config) => printable(JSON.stringify(config[key]) ?? "–"))])
    .filter(([, ...values]) => new Set(values).size > 1);
}
