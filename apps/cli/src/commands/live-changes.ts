// set, revert: values of a running training, changed and taken back.
import { fetchRunValues, revertRun, setRunValues, waitForCommand } from "@spotter/client";
import type { LiveValues, RunChange, RunCommand, RunValue, RunValues } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { exitCodes, UsageProblem } from "../exit-codes.ts";
import { dateTime } from "../format.ts";
import { runIdOf } from "../lookup.ts";
import { emptyWord, standingWord, valueText } from "../run-words.ts";
import { table } from "../table.ts";

/** A step of a large model takes seconds; whoever waits longer looks again. */
const WAIT_MS = 60_000;
/** What people write for a value that is switched off, or left to the recipe. */
const EMPTY_WORDS = ["off", "automatic", "auto", "none", "null"];

interface SetOptions {
  reason?: string;
}

export function addLiveChangeCommands(program: Command, bind: Bind, t: Context["text"]): void {
  program
    .command("set <run> [name=value...]")
    .description(
      t(
        "change values of a running training, at its next step; without any, list them and what was changed",
        "在下一步修改运行中训练的参数；不带参数则列出可改的值与已有修改",
      ),
    )
    .option("--reason <text>", t("why; shown on every chart", "原因；会显示在每张图上"))
    .action(bind(set));
  program
    .command("revert <run> [change]")
    .description(
      t(
        "take a change back, by default the newest: go on from the checkpoint of before it",
        "撤回一次修改（默认最近一次）：从修改前的检查点继续",
      ),
    )
    .option("--reason <text>", t("why", "原因"))
    .action(bind(revert));
}

async function set(
  context: Context,
  [run = "", ...assignments]: string[],
  { reason }: SetOptions,
): Promise<number | undefined> {
  const runId = runIdOf(run);
  const client = context.client();
  if (assignments.length === 0) {
    const found = await fetchRunValues(client, runId);
    if (context.json) context.answer(found);
    else showValues(context, found);
    return undefined;
  }
  const values = parseValues(assignments);
  if (reason === undefined)
    throw new UsageProblem('Say why with --reason "…"; it is shown on every chart.');
  const answer = await setRunValues(client, runId, values, reason);
  return tellOutcome(context, runId, answer.command, (command) =>
    context.say(
      context.text(
        `Run ${runId}, from step ${(command.step ?? 0) + 1} on: ${changeText(context, command)}. Take it back with: spotter revert ${runId} ${command.id}`,
        `训练 ${runId}，自第 ${(command.step ?? 0) + 1} 步起：${changeText(context, command)}。撤回：spotter revert ${runId} ${command.id}`,
      ),
    ),
  );
}

async function revert(
  context: Context,
  [run = "", change]: string[],
  { reason }: SetOptions,
): Promise<number | undefined> {
  const runId = runIdOf(run);
  const client = context.client();
  const answer = await revertRun(client, runId, {
    ...(change === undefined ? {} : { changeId: changeIdOf(change) }),
    ...(reason === undefined ? {} : { reason }),
  });
  return tellOutcome(context, runId, answer.command, (command) => {
    const [en, zh] =
      answer.state === "queued"
        ? [
            "it waits in the queue, and goes on from the checkpoint of before it when its turn comes.",
            "训练已重新排队，轮到时从修改前的检查点继续。",
          ]
        : [
            "it goes on from the checkpoint of before it, and keeps what it holds of the machine.",
            "将从修改前的检查点继续，并保留其占用的资源。",
          ];
    context.say(
      context.text(
        `Run ${runId}: change ${command.change_id} is taken back; ${en}`,
        `训练 ${runId}：已撤回修改 ${command.change_id}；${zh}`,
      ),
    );
  });
}

/** @throws UsageProblem */
export function parseValues(assignments: readonly string[]): LiveValues {
  const values: LiveValues = {};
  for (const assignment of assignments) {
    const [name = "", text = "", ...rest] = assignment.split("=");
    const value = EMPTY_WORDS.includes(text) ? null : Number(text);
    if (
      name === "" ||
      text.trim() === "" ||
      rest.length > 0 ||
      !(value === null || Number.isFinite(value))
    )
      throw new UsageProblem(
        `set wants name=number (or name=off, name=automatic), such as learning_rate=1e-4, not "${assignment}".`,
      );
    values[name] = value;
  }
  return values;
}

async function tellOutcome(
  context: Context,
  runId: number,
  sent: RunCommand | null,
  done: (command: RunCommand) => void,
): Promise<number | undefined> {
  if (sent === null) return undefined;
  const command = await waitForCommand(context.client(), runId, sent.id, WAIT_MS);
  if (context.json) context.answer(command ?? sent);
  if (command === null) {
    context.note(
      context.text(
        `Run ${runId} has not taken it up yet; it will at its next step. See: spotter set ${runId}`,
        `训练 ${runId} 尚未执行，将在下一步生效。查看：spotter set ${runId}`,
      ),
    );
    return undefined;
  }
  if (command.state === "done") {
    if (!context.json) done(command);
    return undefined;
  }
  const why = command.message ?? context.text("the run has ended", "训练已结束");
  if (!context.json)
    context.note(context.text(`Nothing was changed: ${why}`, `未作任何修改：${why}`));
  return exitCodes.conflict;
}

function showValues(context: Context, { values, changes, obstacle }: RunValues): void {
  const t = context.text.bind(context);
  if (obstacle !== null) context.note(obstacle);
  if (values.length === 0) return;
  const head = [
    t("value", "参数"),
    t("now", "当前"),
    t("started with", "初始"),
    t("may be", "范围"),
  ];
  const rows = values.map((value) => [
    value.name,
    valueText(value.name, value.value, t),
    value.value === value.started_with ? "" : valueText(value.name, value.started_with, t),
    boundsText(value, t),
  ]);
  context.say(table(head, rows, [1, 2]));
  if (changes.length > 0) context.say(`\n${changesTable(context, changes)}`);
}

function changesTable(context: Context, changes: readonly RunChange[]): string {
  const t = context.text.bind(context);
  const head = ["#", t("change", "修改"), t("step", "步"), t("state", "状态"), t("by", "修改者")];
  const rows = changes.map(({ command, standing }) => [
    String(command.id),
    changeText(context, command),
    command.step === null ? "" : String(command.step),
    standingWord(standing, t),
    printable(`${command.created_by_name ?? ""} ${dateTime(command.created_at)}`),
    printable(command.reason ?? ""),
  ]);
  return table([...head, t("why", "原因")], rows, [0, 2]);
}

function changeText(context: Context, { change, values }: RunCommand): string {
  const t = context.text.bind(context);
  const after = change?.after ?? values ?? {};
  return Object.entries(after)
    .map(([name, value]) =>
      change === null
        ? `${name} → ${valueText(name, value, t)}`
        : `${name} ${valueText(name, change.before[name] ?? null, t)} → ${valueText(name, value, t)}`,
    )
    .join(", ");
}

/** `0 < … ≤ 10`, `≥ 1, off` */
export function boundsText(
  { name, minimum, above, maximum, below, nullable }: RunValue,
  t: Context["text"],
): string {
  const low = above === null ? (minimum === null ? "" : `${minimum} ≤ `) : `${above} < `;
  const high = below === null ? (maximum === null ? "" : ` ≤ ${maximum}`) : ` < ${below}`;
  return `${low}…${high}${nullable ? `${t(", ", "，")}${emptyWord(name, t)}` : ""}`;
}

function changeIdOf(text: string): number {
  const id = Number(text);
  if (!Number.isSafeInteger(id) || id < 1)
    throw new UsageProblem(`"${text}" is no number of a change; spotter set RUN lists them.`);
  return id;
}
