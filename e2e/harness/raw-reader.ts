// A reader of /api/stream that knows nothing of our client: raw SSE, resumed by Last-Event-ID alone, so that the test
// proves what the server does.
import { setTimeout as delay } from "node:timers/promises";
import { type MetricAppended, MetricAppended as MetricAppendedSchema } from "@spotter/contract";

export class RawReader {
  /** Every metric event in the order in which it came, over all connections. */
  readonly events: MetricAppended[] = [];
  connections = 0;
  #lastEventId: string | undefined;
  readonly #url: string;
  readonly #token: string;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor(baseUrl: string, token: string, runId: number, query = "") {
    this.#url = `${baseUrl}/api/stream?runs=${runId}&topics=metrics${query}`;
    this.#token = token;
    // The very beginning: positions start at 1, so 0 is before the first.
    this.#lastEventId = `${runId}:0`;
    this.#done = this.#readOn();
  }

  /** Identity of each batch as it came: a repeat would stand here twice, a gap would miss a number. */
  get commitNumbers(): number[] {
    return this.events.map((event) => event.commit_no);
  }

  get lastCommit(): number {
    return this.events.at(-1)?.commit_no ?? 0;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  async #readOn(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        await this.#readConnection();
      } catch (error) {
        // A server that is down or a line that was cut is what these tests are about; all else must surface.
        if (!this.#abort.signal.aborted && !(error instanceof TypeError)) throw error;
      }
      if (!this.#abort.signal.aborted) await delay(50);
    }
  }

  async #readConnection(): Promise<void> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${this.#token}`,
      accept: "text/event-stream",
    };
    if (this.#lastEventId !== undefined) headers["last-event-id"] = this.#lastEventId;
    const response = await fetch(this.#url, { headers, signal: this.#abort.signal });
    if (response.status === 503) return;
    if (!response.ok || response.body === null)
      throw new Error(`stream: ${response.status} ${await response.text()}`);
    this.connections += 1;
    let rest = "";
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      rest += piece;
      const blocks = rest.split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ""));
    }
    const id = fields.get("id");
    if (id !== undefined) this.#lastEventId = id;
    if (fields.get("event") !== "metric-appended") return;
    this.events.push(MetricAppendedSchema.parse(JSON.parse(fields.get("data") ?? "null")));
  }
}
