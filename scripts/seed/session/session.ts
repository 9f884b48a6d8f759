// What every seed scenario needs: a signed-in client and a quick way to fill an own-script run.

import { HttpClient } from "@spotter/client";
import {
  createRun,
  type EventBatchInput,
  type Run,
  sendRunEvents,
  type WorkerEvent,
} from "@spotter/contract";

/** The server and token of the environment; the demo's account when none is named. */
export async function openSession(): Promise<HttpClient> {
  const { readFileSync } = await import("node:fs");
  const { join } = await import("node:path");
  const home = process.env.SPOTTER_HOME ?? ".spotter";
  const read = (file: string) =>
    JSON.parse(readFileSync(join(home, file), "utf8")) as { url?: string; token?: string };
  const baseUrl = process.env.SPOTTER_URL ?? read("server.json").url ?? "http://127.0.0.1:8888";
  const token = process.env.SPOTTER_TOKEN ?? read("demo-account.json").token;
  if (token === undefined)
    throw new Error(
      "Set SPOTTER_TOKEN to an API token (Settings → Access tokens), or run npm run demo once.",
    );
  return new HttpClient({ baseUrl, token });
}

/** One own-script run that takes batches in order. */
export class SeedRun {
  readonly #client: HttpClient;
  readonly run: Run;
  #seq = 0;

  private constructor(client: HttpClient, run: Run) {
    this.#client = client;
    this.run = run;
  }

  static async open(
    client: HttpClient,
    name: string,
    details: { tags?: string[]; config?: Record<string, string | number> } = {},
  ): Promise<SeedRun> {
    return new SeedRun(client, await client.call(createRun, { body: { name, ...details } }));
  }

  async send(...events: WorkerEvent[]): Promise<void> {
    this.#seq += 1;
    const body: EventBatchInput = { protocol: 1, attempt: 1, seq: this.#seq, events };
    await this.#client.call(sendRunEvents, { params: { run_id: this.run.id }, body });
  }

  /** Points of one moment: metric → value, at a step. */
  points(
    series: Record<string, { step: number[]; time: number[]; value: number[] }>,
  ): Promise<void> {
    return this.send({ type: "metric-points", series });
  }

  end(metrics: Record<string, number> = {}, time = Date.now() / 1000): Promise<void> {
    return this.send({ type: "run-ended", time, state: "finished", metrics, error: null });
  }
}

/** mulberry32: the same scenario looks the same every time. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
