// tensorboard: follows a log directory and streams each run in it. Nothing in the training's own code changes.
import { hostname } from "node:os";
import { ApiError, delay, type HttpClient } from "@spotter/client";
import {
  getSystemInfo,
  listTensorboardFolders,
  TENSORBOARD_QUIET_MINUTES,
} from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { exitCodes, UsageProblem } from "../exit-codes.ts";
import { givenFolder } from "../given-paths.ts";
import { LiveView } from "../live-view.ts";
import { projectIdOf } from "../lookup.ts";
import { LogdirStreamer, type Teller } from "../tensorboard/logdir-streamer.ts";
import { withSameRuns } from "../tensorboard/same-runs.ts";
import { StateFolder } from "../tensorboard/state-folder.ts";

interface TensorboardOptions {
  project?: string;
  once?: boolean;
  interval: string;
  quietAfter: string;
}

export function addTensorboardCommand(program: Command, bind: Bind, t: Context["text"]): void {
  program
    .command("tensorboard <logdir>")
    .description(
      t(
        "follow TensorBoard event files and stream them as live runs",
        "跟踪 TensorBoard 事件文件并作为实时训练上传",
      ),
    )
    .option("--project <project>", t("name or number", "项目名称或编号"))
    .option(
      "--once",
      t("send what is there, end the runs, and exit", "发送现有内容，结束训练并退出"),
    )
    .option("--interval <seconds>", t("between two looks", "检查间隔（秒）"), "1")
    .option(
      "--quiet-after <minutes>",
      t(
        "without a new point a run counts as ended; it goes on with the next one; 0: never",
        "没有新数据点时，多少分钟后视为结束；有新数据即继续；0 表示从不",
      ),
      String(TENSORBOARD_QUIET_MINUTES),
    )
    .action(bind(tensorboard));
}

async function tensorboard(
  context: Context,
  [folder = ""]: string[],
  options: TensorboardOptions,
): Promise<number> {
  const logdir = givenFolder(folder);
  const intervalMs = 1000 * Number(options.interval);
  if (!(intervalMs >= 100)) throw new UsageProblem("--interval wants 0.1 seconds or more.");
  const quietMinutes = Number(options.quietAfter);
  if (!(quietMinutes >= 0) || options.quietAfter.trim() === "")
    throw new UsageProblem(
      `--quiet-after wants minutes, such as 240, or 0 for never, not "${options.quietAfter}".`,
    );
  const client = context.client();
  const projectId = await projectIdOf(client, options.project);
  const state = new StateFolder(context.settings.configFolder, context.serverUrl(), logdir);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  const teller = new TerminalTeller(context);
  state.lock();
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  try {
    await refuseFollowedByServer(client, logdir, teller);
    const streamer = await LogdirStreamer.open({
      client,
      logdir,
      projectId,
      state,
      teller,
      signal: stop.signal,
      quietMinutes,
    });
    teller.began(logdir, options.once === true);
    await follow(streamer, options.once === true, intervalMs, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    state.unlock();
    teller.close();
  }
  teller.ended(stop.signal.aborted);
  return stop.signal.aborted ? exitCodes.interrupted : teller.exitCode;
}

async function follow(
  streamer: LogdirStreamer,
  once: boolean,
  intervalMs: number,
  signal: AbortSignal,
) {
  while (!signal.aborted) {
    const began = performance.now();
    await streamer.poll();
    await streamer.endQuietRuns(once);
    if (once) return;
    await streamer.greetIdleRuns();
    // A walk through a huge tree must not become the machine's main work.
    await delay(Math.max(intervalMs, 4 * (performance.now() - began)), signal);
  }
}

/** On one machine the same path is the same folder: following it a second time would make each run twice. */
async function refuseFollowedByServer(
  client: HttpClient,
  logdir: string,
  teller: TerminalTeller,
): Promise<void> {
  const { folders } = await client.call(listTensorboardFolders, {});
  const paths = folders.map((folder) => folder.path);
  const [same] = withSameRuns(logdir, paths);
  if (same === undefined) return;
  const { hostname: serverHost } = await client.call(getSystemInfo, {});
  if (serverHost !== hostname()) {
    teller.followedTwice(same);
    return;
  }
  throw new UsageProblem(
    `The server follows ${printable(same)} by itself already; its runs are in the list. End that on the page first to follow it from here.`,
  );
}

/** Says in the terminal what the streamer does; for programs as one JSON object a line. */
class TerminalTeller implements Teller {
  readonly #context: Context;
  readonly #view: LiveView;
  #points = 0;
  #runs = 0;
  #problems = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#view = new LiveView(context);
  }

  /** 1 when something could not be read or sent. */
  get exitCode(): number {
    return this.#problems > 0 ? exitCodes.failure : exitCodes.ok;
  }

  began(logdir: string, once: boolean): void {
    if (once) return;
    this.#say(
      { type: "following", logdir },
      `Following ${logdir}; Ctrl-C ends.`,
      `正在跟踪 ${logdir};Ctrl-C 结束。`,
    );
  }

  followedTwice(folder: string): void {
    const name = printable(folder);
    this.#say(
      { type: "followed-twice", path: folder },
      `The server follows ${name} by itself too. If that is this machine's folder, each run in it appears twice: end one of the two.`,
      `服务器自己也在跟踪 ${name}。如果就是本机的这个文件夹，其中的每个训练会出现两次：请停止其中一个。`,
    );
  }

  runOpened(folder: string, runId: number): void {
    this.#runs += 1;
    const page = `${this.#context.serverUrl()}/runs/${runId}/charts`;
    const name = printable(folder);
    this.#say(
      { type: "run-opened", folder, run_id: runId },
      `${name} is run ${runId}  ${page}`,
      `${name} → 训练 ${runId}  ${page}`,
    );
  }

  pointsSent(_folder: string, count: number): void {
    this.#points += count;
    if (!this.#context.json)
      this.#view.status(
        this.#context.text(`${this.#points} points sent`, `已发送 ${this.#points} 个数据点`),
      );
  }

  skipped(content: string): void {
    this.#say(
      { type: "skipped", content },
      `The files also hold ${content}, which Spotter does not store yet; scalars and hyperparameters come through.`,
      `文件中还有 ${content}，目前尚不保存；标量与超参数正常上传。`,
    );
  }

  problem(folder: string, message: string): void {
    this.#problems += 1;
    const text = `${printable(folder)}: ${printable(message)}`;
    this.#say({ type: "problem", folder, message }, text, text);
  }

  retrying(cause: unknown, waitMs: number): void {
    const why = cause instanceof ApiError ? cause.message : String(cause);
    const seconds = (waitMs / 1000).toFixed(1);
    const text = `${why} Trying again in ${seconds} s; nothing is lost.`;
    const chinese = `${why} ${seconds} 秒后重试，数据不会丢失。`;
    if (this.#context.json) this.#context.note(text);
    else this.#view.status(this.#context.text(text, chinese), true);
  }

  close(): void {
    this.#view.close();
  }

  ended(interrupted: boolean): void {
    const summary = { type: "ended", points: this.#points, new_runs: this.#runs, interrupted };
    this.#say(
      summary,
      `${this.#points} points sent, ${this.#runs} new runs.${interrupted ? " The same command goes on from here." : ""}`,
      `已发送 ${this.#points} 个数据点，新建 ${this.#runs} 个训练。${interrupted ? "再次运行同一命令即可继续。" : ""}`,
    );
  }

  #say(value: object, english: string, chinese: string): void {
    if (this.#context.json) this.#context.answerLine(value);
    else this.#view.line(this.#context.text(english, chinese));
  }
}
