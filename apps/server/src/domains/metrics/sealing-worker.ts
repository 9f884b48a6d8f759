// The main thread's side of the sealing thread: started when there is something to seal, ended when there is not.
import { Worker } from "node:worker_threads";
import type { EncodedChunk } from "./codec/chunk.ts";
import { performSealing, type SealingEngine, type SealingJob } from "./sealing.ts";

// A quiet server should not keep ten megabytes for a thread that does nothing.
const IDLE_MS = 60_000;

interface Waiting {
  readonly resolve: (chunks: EncodedChunk[]) => void;
  readonly reject: (error: Error) => void;
}
type Reply =
  | { readonly id: number; readonly chunks: EncodedChunk[] }
  | { readonly id: number; readonly error: Error };

export class SealingWorker implements SealingEngine {
  readonly #file: URL;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #lastId = 0;

  /** @param file the bundled `seal-thread.js` */
  constructor(file: URL) {
    this.#file = file;
  }

  run(job: SealingJob): Promise<EncodedChunk[]> {
    clearTimeout(this.#idleTimer);
    const worker = this.#start();
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, job });
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#idleTimer);
    await this.#worker?.terminate();
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(this.#file, { name: "seal-thread" });
    worker.on("message", (reply: Reply) => this.#settle(reply));
    worker.on("error", (error) => this.#end(worker, error));
    worker.on("exit", () => this.#end(worker, new Error("The sealing thread ended.")));
    this.#worker = worker;
    return worker;
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting?.reject(reply.error);
    else waiting?.resolve(reply.chunks);
    if (this.#waiting.size > 0) return;
    this.#idleTimer = setTimeout(() => this.#retire(), IDLE_MS);
    this.#idleTimer.unref();
  }

  #retire(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    // Nothing waits for it; how it ends is of no interest.
    worker?.removeAllListeners("exit");
    worker?.terminate();
  }

  #end(worker: Worker, error: Error): void {
    if (this.#worker === worker) this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Seals in the calling thread: for tests, and where no bundle of the thread is at hand. */
export const sealingHere: SealingEngine = {
  run: async (job) => performSealing(job),
  close: async () => undefined,
};
