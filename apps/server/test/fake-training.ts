// A training whose worker is played by the test: rows as the queue makes them, events through the worker's own door,
// a weights folder on the disk.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createRun, type WorkerEvent } from "@spotter/contract";
import { sql } from "kysely";
import type { TestServer } from "./harness.ts";
import { openPlayedAttempt } from "./played-attempt.ts";

export interface FakeTraining {
  readonly id: number;
  /** Its worker's. */
  readonly token: string;
  /** Sends the next batch, as its worker unless its supervisor is named; throws when it is refused. */
  send(events: readonly object[], source?: Source): Promise<{ duplicate: boolean }>;
  /** Sends the last batch once more. */
  repeat(): Promise<{ duplicate: boolean }>;
  /** Writes a weights folder of this content and tells it with the run's end. @returns the weights' SHA-256 */
  finish(ending?: FakeEnding): Promise<string>;
}

export type Source = "worker" | "supervisor";

export interface FakeEnding {
  readonly content?: string;
  readonly metrics?: Record<string, number | "NaN">;
  readonly state?: "finished" | "stopped" | "failed";
}

export const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** In its first attempt, as if its worker had just been started. */
export async function startFakeTraining(
  server: TestServer,
  wish: { project_id?: number; config?: object; modelName?: string } = {},
): Promise<FakeTraining> {
  const body = wish.project_id === undefined ? {} : { project_id: wish.project_id };
  const { id } = await server.client.call(createRun, { body });
  const config = JSON.stringify(wish.config ?? { data: { builtin: "digits" } });
  const token = await server.database.transaction(async (transaction) => {
    await sql`update runs set source = 'recipe', recipe = 'vision', state = 'starting',
      training_since = null, config = ${config}, data_name = 'digits', model_name = ${wish.modelName ?? "vision-digits"}
      where id = ${id}`.execute(transaction);
    return openPlayedAttempt(transaction, id, 1);
  });
  return new Played(server, id, token);
}

class Played implements FakeTraining {
  readonly id: number;
  readonly token: string;
  readonly #server: TestServer;
  readonly #seqs = { worker: 0, supervisor: 0 };
  #last: { readonly source: Source; readonly events: readonly object[] } = {
    source: "worker",
    events: [],
  };

  constructor(server: TestServer, id: number, token: string) {
    this.#server = server;
    this.id = id;
    this.token = token;
  }

  send(events: readonly object[], source: Source = "worker"): Promise<{ duplicate: boolean }> {
    this.#seqs[source] += 1;
    this.#last = { source, events };
    return this.repeat();
  }

  async repeat(): Promise<{ duplicate: boolean }> {
    const response = await fetch(`${this.#server.url}/api/worker/jobs/${this.id}/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      body: JSON.stringify({
        protocol: 1,
        attempt: 1,
        seq: this.#seqs[this.#last.source],
        ...this.#last,
      }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${answer}`);
    return JSON.parse(answer) as { duplicate: boolean };
  }

  async finish(ending: FakeEnding = {}): Promise<string> {
    const { content = `weights of ${this.id}`, state = "finished", metrics = {} } = ending;
    const folder = path.join(this.#server.home, "runs", String(this.id), "weights");
    mkdirSync(path.join(folder, "tokenizer"), { recursive: true });
    writeFileSync(path.join(folder, "model.safetensors"), content);
    writeFileSync(path.join(folder, "model.json"), "{}");
    writeFileSync(path.join(folder, "tokenizer", "words.json"), "[]");
    const events: Partial<WorkerEvent>[] = [
      {
        type: "run-started",
        time: 1,
        config: { data: { builtin: "digits" }, epochs: 2 },
        model: { name: "cnn", parameters: 1234 },
        data: { train: 8, validation: 1, test: 1, classes: ["0", "1"] },
        versions: { code: "abc123-dirty" },
      },
      {
        type: "file-saved",
        time: 2,
        kind: "weights",
        path: "weights/model.safetensors",
        size: content.length,
        sha256: sha256(content),
        label: "final",
        metrics,
      },
      { type: "run-ended", time: 3, state, metrics },
    ];
    await this.send(events);
    return sha256(content);
  }
}
