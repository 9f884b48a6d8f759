// Puts the last log lines beside the error of a run whose worker could not say itself what went wrong.
import type { RunError } from "@spotter/contract";
import type { z } from "zod";
import { BackgroundWork } from "../../platform/background-work.ts";
import type { Log } from "../../platform/log.ts";
import type { RunFeed } from "./feed.ts";
import type { LogsStore } from "./logs-store.ts";
import type { RunsStore } from "./store.ts";

const NUM_LINES = 40;

export class LastLines {
  readonly #parts: { store: RunsStore; logs: LogsStore; feed: RunFeed; log: Log };

  readonly #work = new BackgroundWork();

  constructor(parts: { store: RunsStore; logs: LogsStore; feed: RunFeed; log: Log }) {
    this.#parts = parts;
  }

  /** After the commit of the attempt's end; nobody waits for it but `finished`. */
  attach(runId: number): void {
    this.#work.add(this.#attach(runId), (error) => {
      this.#parts.log.warn({ error, run_id: runId }, "A failed run's last lines were not kept.");
    });
  }

  finished(): Promise<void> {
    return this.#work.finished();
  }

  async #attach(runId: number): Promise<void> {
    const { store, logs, feed } = this.#parts;
    const row = await store.run(runId);
    if (row === undefined || row.error === null) return;
    const told = JSON.parse(row.error) as z.infer<typeof RunError>;
    if (told.traceback !== null) return;
    const lines = await logs.lines(runId, {
      ...{ after: null, before: null, level: undefined, q: undefined },
      limit: NUM_LINES,
    });
    if (lines.length === 0) return;
    const traceback = lines.map(({ text }) => text).join("\n");
    await store.update(runId, { error: JSON.stringify({ ...told, traceback }) });
    feed.runTouched(runId);
  }
}
