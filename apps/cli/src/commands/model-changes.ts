// models stage, rollback, note, delete, restore: what may change about a version.
import {
  bringBackModelVersion,
  changeModelVersion,
  fetchModelVersion,
  removeModelVersion,
  rollBack,
} from "@spotter/client";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { modelIdOf, restorableIdOf, versionIdOf } from "../lookup.ts";
import { nameOf, stageOf, tell } from "./model-views.ts";

export function addModelChanges(models: Command, bind: Bind, t: Context["text"]): void {
  const reason = t("why; kept in the history", "原因；保留在历史中");
  models
    .command("stage <version> <stage>")
    .description(t("move a version to a stage", "把版本移到某个阶段"))
    .option("--reason <text>", reason)
    .action(bind(stageVersion));
  models
    .command("rollback <model>")
    .description(t("bring back what was in production before", "让生产环境回到上一个版本"))
    .option("--reason <text>", reason)
    .action(bind(rollBackModel));
  models
    .command("note <version> [text]")
    .description(t("write a version's note, add or remove tags", "编写版本备注，增删标签"))
    .option("--add <tag...>", t("add a tag", "添加标签"))
    .option("--remove <tag...>", t("remove a tag", "移除标签"))
    .action(bind(noteVersion));
  models
    .command("delete <version>")
    .description(t("delete a version; it can be restored for 7 days", "删除版本；7 天之内可以恢复"))
    .action(bind(deleteVersion));
  models
    .command("restore <version>")
    .description(
      t("bring back a deleted version: name@2, or its id", "恢复已删除的版本：名称@2，或其编号"),
    )
    .action(bind(restoreVersion));
}

async function stageVersion(
  context: Context,
  [version = "", stage = ""]: string[],
  { reason }: { reason?: string },
): Promise<void> {
  const client = context.client();
  const change = { stage: stageOf(stage), ...(reason === undefined ? {} : { reason }) };
  tell(context, await changeModelVersion(client, await versionIdOf(client, version), change));
}

async function rollBackModel(
  context: Context,
  [name = ""]: string[],
  { reason }: { reason?: string },
): Promise<void> {
  const client = context.client();
  const model = await rollBack(client, await modelIdOf(client, name), reason);
  if (context.json) return context.answer(model);
  const version = model.production?.version ?? "–";
  context.say(
    context.text(
      `${printable(model.name)}: version ${version} is in production.`,
      `${printable(model.name)}：版本 ${version} 已回到生产。`,
    ),
  );
}

async function noteVersion(
  context: Context,
  [version = "", note]: string[],
  { add = [], remove = [] }: { add?: string[]; remove?: string[] },
): Promise<void> {
  if (note === undefined && add.length + remove.length === 0)
    throw new UsageProblem("Give a note, --add or --remove.");
  const client = context.client();
  const id = await versionIdOf(client, version);
  const before = await fetchModelVersion(client, id);
  const tags = [...new Set([...before.tags, ...add])].filter((each) => !remove.includes(each));
  tell(
    context,
    await changeModelVersion(client, id, { tags, ...(note === undefined ? {} : { note }) }),
  );
}

async function deleteVersion(context: Context, [version = ""]: string[]): Promise<void> {
  const client = context.client();
  const id = await versionIdOf(client, version);
  const gone = await fetchModelVersion(client, id);
  await removeModelVersion(client, id);
  if (context.json) return context.answer({ done: true });
  context.say(
    context.text(
      `${nameOf(gone)} is deleted; for 7 days, spotter models restore ${nameOf(gone)} brings it back.`,
      `${nameOf(gone)} 已删除；7 天之内可用 spotter models restore ${nameOf(gone)} 恢复。`,
    ),
  );
}

async function restoreVersion(context: Context, [version = ""]: string[]): Promise<void> {
  const client = context.client();
  const id = await restorableIdOf(client, version);
  const before = await fetchModelVersion(client, id);
  const name = nameOf(before);
  tell(context, await bringBackModelVersion(client, id));
  if (context.json) return;
  context.note(
    before.deleted_at === null
      ? context.text(
          `${name} was not deleted; nothing was changed.`,
          `${name} 并未删除，没有任何改动。`,
        )
      : context.text(`${name} is back.`, `${name} 已恢复。`),
  );
}
