// Hands commands to waiting workers at once: long polls wait here until a command for their job is inserted.
import type { WorkerCommand } from "@spotter/contract";
import { Bells } from "./bells.ts";
import type { CommandsStore } from "./commands-store.ts";
import { toWorkerCommand } from "./views.ts";

/** Another server process may have inserted it: look again after so long. */
const LOOK_AGAIN_MS = 5_000;

export class CommandBoard {
  readonly #store: CommandsStore;
  readonly #bells = new Bells();
  #closed = false;

  constructor(store: CommandsStore) {
    this.#store = store;
  }

  /** @param gone ends the wait when the caller has left */
  async poll(
    jobId: number,
    attempt: number,
    after: number,
    waitS: number,
    gone: AbortSignal,
  ): Promise<WorkerCommand[]> {
    const deadline = performance.now() + waitS * 1000;
    for (;;) {
      const bell = this.#bells.listen(jobId, gone);
      const commands = (await this.#store.toSend(jobId, attempt, after)).map(toWorkerCommand);
      const remainingMs = deadline - performance.now();
      if (commands.length > 0 || remainingMs <= 0 || this.#closed || gone.aborted) {
        bell.cancel();
        return commands;
      }
      await bell.rung(Math.min(remainingMs, LOOK_AGAIN_MS));
    }
  }

  wake(jobId: number): void {
    this.#bells.ring(jobId);
  }

  /** Answers every waiting poll, so that the server can close its connections. */
  close(): void {
    this.#closed = true;
    this.#bells.ringAll();
  }
}
