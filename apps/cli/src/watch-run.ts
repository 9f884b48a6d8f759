// Follows one run live until it has ended; the exit code says how.
import {
  ApiError,
  delay,
  eachLogLine,
  fetchLastLogs,
  fetchRun,
  followRuns,
  type HttpClient,
  isOver,
  untilLastLines,
} from "@spotter/client";
import type { LogLine, RunSummary } from "@spotter/contract";
import { type Context, printable } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import { runDuration, stateWord } from "./format.ts";
import { LiveView } from "./live-view.ts";
import { logText } from "./log-text.ts";
import { progressLine } from "./progress-line.ts";
import { reasonWords } from "./queue-words.ts";

const TAIL_LINES = 5;
/** A stream that has not opened by then is held back by something on the way, a buffering proxy mostly. */
const BLOCKED_AFTER_MS = 5000;
const POLL_MS = 2000;

/** Exit code: 0 finished, 10 failed, 11 stopped or cancelled. Ctrl-C ends the watching, not the run. */
export async function watchRun(
  context: Context,
  client: HttpClient,
  runId: number,
): Promise<number> {
  const watcher = new Watcher(context, client, runId);
  return watcher.watch();
}

class Watcher {
  readonly #context: Context;
  readonly #client: HttpClient;
  readonly #runId: number;
  readonly #view: LiveView;
  #run: RunSummary | null = null;
  #lastLine = 0;
  #epoch = 0;
  #isOpen = false;
  #hasSeenItRun = false;

  constructor(context: Context, client: HttpClient, runId: number) {
    this.#context = context;
    this.#client = client;
    this.#runId = runId;
    this.#view = new LiveView(context);
  }

  async watch(): Promise<number> {
    const stop = new AbortController();
    const interrupt = () => stop.abort();
    process.once("SIGINT", interrupt);
    try {
      // Whichever sees the end first ends the other.
      const end = () => stop.abort();
      await Promise.all([
        this.#follow(stop.signal).finally(end),
        this.#pollWhileBlocked(stop.signal).finally(() => this.#isOver() && end()),
      ]);
    } finally {
      process.off("SIGINT", interrupt);
      this.#view.close();
    }
    return this.#run !== null && this.#isOver() ? this.#sayEnd(this.#run) : this.#sayInterrupted();
  }

  #isOver(): boolean {
    return this.#run !== null && isOver(this.#run.state);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { json } = this.#context;
    const stream = followRuns(this.#client, {
      runs: [this.#runId],
      topics: ["runs", "logs"],
      signal,
      onState: (state) => {
        if (state === "reconnecting") this.#sayReconnecting();
      },
    });
    for await (const { event } of stream) {
      if (json && belongsTo(event, this.#runId)) this.#context.answerLine(event);
      // The stream is open, so nothing is missed between these reads and the events.
      if (event.type === "stream-opened") {
        this.#isOpen = true;
        await this.#takeStart();
      }
      if (event.type === "log-appended") this.#takeLines(event.lines, true);
      if (event.type === "run-changed" && event.run.id === this.#runId) this.#takeRun(event.run);
      if (this.#isOver()) return this.#hasSeenItRun ? this.#takeLastLines(signal) : undefined;
    }
  }

  /** The last words come after the state. */
  async #takeLastLines(signal: AbortSignal): Promise<void> {
    await untilLastLines(this.#client, this.#runId, signal);
    await this.#takeMissedLines();
  }

  async #pollWhileBlocked(signal: AbortSignal): Promise<void> {
    await delay(BLOCKED_AFTER_MS, signal);
    let isTold = false;
    while (!signal.aborted && !this.#isOpen && !this.#isOver()) {
      try {
        await this.#takeStart();
        if (!isTold) this.#sayBlocked();
        isTold = true;
      } catch (error) {
        // The stream says already that the server does not answer.
        if (!(error instanceof ApiError) || !error.isTemporary) throw error;
      }
      await delay(POLL_MS, signal);
    }
  }

  #sayBlocked(): void {
    this.#context.note(
      this.#context.text(
        "The live stream is blocked on the way; asking every two seconds instead.",
        "实时流被阻断；改为每两秒查询一次。",
      ),
    );
  }

  /** At the beginning, and again after each new connection: only metrics are replayed by the stream itself. */
  async #takeStart(): Promise<void> {
    const run = await fetchRun(this.#client, this.#runId);
    if (this.#run === null && this.#context.json)
      this.#context.answerLine({ type: "run-changed", run });
    if (this.#hasSeenItRun) await this.#takeMissedLines();
    else if (!isOver(run.state)) {
      this.#hasSeenItRun = true;
      this.#takeLines(await fetchLastLogs(this.#client, this.#runId, { count: TAIL_LINES }));
    }
    this.#takeRun(run);
  }

  #takeRun(run: RunSummary): void {
    this.#run = run;
    if (this.#context.json) return;
    const epoch = run.progress?.epoch ?? 0;
    this.#view.status(progressLine(run, this.#context.language), epoch !== this.#epoch);
    this.#epoch = epoch;
  }

  /** @param isTold whether a program that reads along has the event with these lines already */
  #takeLines(lines: readonly LogLine[], isTold = false): void {
    const news = lines.filter((line) => line.line_no > this.#lastLine);
    this.#lastLine = news.at(-1)?.line_no ?? this.#lastLine;
    if (!this.#context.json) for (const line of news) this.#view.line(logText(this.#context, line));
    else if (!isTold && news.length > 0)
      this.#context.answerLine({ type: "log-appended", run_id: this.#runId, lines: news });
  }

  async #takeMissedLines(): Promise<void> {
    const missed = eachLogLine(this.#client, this.#runId, { after: this.#lastLine });
    for await (const line of missed) this.#takeLines([line]);
  }

  #sayReconnecting(): void {
    if (this.#context.json) return;
    const { text } = this.#context;
    const sentence = text.call(
      this.#context,
      "The server does not answer; the run goes on. Trying again ...",
      "服务器没有响应；训练仍在继续。正在重连…",
    );
    this.#view.status(sentence, true);
  }

  #sayInterrupted(): number {
    this.#context.note(
      this.#context.text(
        `Run ${this.#runId} goes on; watch it again with: spotter watch ${this.#runId}`,
        `训练 ${this.#runId} 仍在继续；再次查看：spotter watch ${this.#runId}`,
      ),
    );
    return exitCodes.interrupted;
  }

  #sayEnd(run: RunSummary): number {
    const { json, language } = this.#context;
    if (!json) {
      const took = runDuration(run, Date.now() / 1000);
      const reason = run.reason === null ? "" : `: ${printable(reasonWords(run.reason, language))}`;
      const word = stateWord(run.state, language);
      this.#context.say(
        this.#context.text(
          `Run ${run.id} ${word}${reason}${took ? ` after ${took}` : ""}.`,
          `训练 ${run.id} ${word}${reason}${took ? `，用时 ${took}` : ""}。`,
        ),
      );
    }
    if (run.state === "finished") return exitCodes.ok;
    return run.state === "failed" ? exitCodes.runFailed : exitCodes.runStopped;
  }
}

/** The stream of runs tells of all; a program that watches one wants one. */
function belongsTo(event: { type: string; run?: { id: number }; run_id?: number }, runId: number) {
  return (event.run?.id ?? event.run_id) === runId;
}
