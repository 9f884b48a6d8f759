// Load for the metrics benches: batches whose every point can be told again from their number alone, sent over a few
// raw HTTP connections so that the sender costs as little as it can.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Shape {
  readonly numSeries: number;
  readonly pointsASeries: number;
}

const POOL = 512;
const STEP_SECONDS = 0.05;
const START = 1_763_700_000;

/** Deterministic noise in [0, 1). */
function noise(seed: number): number {
  const wave = Math.sin(seed * 12.9898 + 78.233) * 43_758.5453;
  return wave - Math.floor(wave);
}

/** Points of one run: steps rise by one, times jitter by milliseconds, values are float32 around a falling curve. */
export class Source {
  readonly shape: Shape;
  readonly names: readonly string[];
  readonly #run: number;
  readonly #values: readonly (readonly number[])[];
  readonly #valueTexts: readonly string[];

  constructor(shape: Shape, run: number) {
    this.shape = shape;
    this.#run = run;
    this.names = Array.from({ length: shape.numSeries }, (_, index) => `layer${index}/metric`);
    this.#values = Array.from({ length: POOL }, (_, part) =>
      Array.from({ length: shape.pointsASeries }, (_, index) =>
        Math.fround(0.3 + 2 * Math.exp(-part / 200) + 0.1 * noise(part * 1000 + index + run)),
      ),
    );
    this.#valueTexts = this.#values.map((values) => JSON.stringify(values));
  }

  steps(batch: number): number[] {
    const from = batch * this.shape.pointsASeries;
    return Array.from({ length: this.shape.pointsASeries }, (_, index) => from + index);
  }

  times(batch: number): number[] {
    return this.steps(batch).map(
      (step) => START + step * STEP_SECONDS + 0.004 * noise(step + this.#run),
    );
  }

  values(batch: number, series: number): readonly number[] {
    return this.#values[this.#part(batch, series)] ?? [];
  }

  /** The body of batch `batch` (from 0) as JSON text. */
  body(batch: number): string {
    const step = JSON.stringify(this.steps(batch));
    const time = JSON.stringify(this.times(batch));
    const series = this.names
      .map(
        (name, index) =>
          `"${name}":{"step":${step},"time":${time},"value":${this.#valueTexts[this.#part(batch, index)]}}`,
      )
      .join(",");
    return `{"protocol":1,"attempt":1,"seq":${batch + 1},"events":[{"type":"metric-points","series":{${series}}}]}`;
  }

  #part(batch: number, series: number): number {
    return (batch * 7 + series * 13) % POOL;
  }
}

/** One keep-alive connection with one request under way at a time. */
export class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #received = "";
  #wake: () => void = () => undefined;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.#received += chunk.toString("latin1");
      this.#wake();
    });
  }

  static async open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    return new Connection(socket, host);
  }

  /** @returns the body of a 200 answer; throws for any other */
  async post(path: string, token: string, body: string): Promise<string> {
    const length = Buffer.byteLength(body);
    this.#socket.write(
      `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`,
    );
    for (;;) {
      const answer = this.#takeAnswer();
      if (answer !== undefined) return answer;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #takeAnswer(): string | undefined {
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1] ?? 0);
    if (this.#received.length < end + 4 + length) return undefined;
    const answer = this.#received.slice(end + 4, end + 4 + length);
    const head = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + 4 + length);
    if (!head.startsWith("HTTP/1.1 200")) throw new Error(`${head.split("\r\n")[0]}: ${answer}`);
    return answer;
  }
}
