// A bad line between a client and the server: slow, late, and cut now and then. Seeded, so that a failure repeats.
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Roughness {
  /** One-way delay of every piece. */
  readonly delayMs: number;
  /** Of all connections, how many are cut after a while. */
  readonly cutShare: number;
  /** Bytes a second of one connection, each way. */
  readonly bytesPerSecond: number;
  readonly seed: number;
}

export class RoughProxy {
  readonly url: string;
  connections = 0;
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async open(targetPort: number, roughness: Roughness): Promise<RoughProxy> {
    const random = seededRandom(roughness.seed);
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy has no port");
    const proxy = new RoughProxy(server, `http://127.0.0.1:${address.port}`);
    server.on("connection", (near) =>
      proxy.#join(near, connect(targetPort, "127.0.0.1"), roughness, random),
    );
    return proxy;
  }

  /** Cuts every connection that is open now. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, far: Socket, roughness: Roughness, random: () => number): void {
    this.connections += 1;
    const willCut = random() < roughness.cutShare;
    // Cut somewhere in the first kilobytes: mid-headers, mid-event, mid-reply.
    const cutAfter = willCut ? Math.floor(random() * 6000) : Number.POSITIVE_INFINITY;
    let passed = 0;
    const cut = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", cut);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    const count = (bytes: number) => {
      passed += bytes;
      if (passed <= cutAfter) return true;
      if (!near.destroyed) this.cuts += 1;
      cut();
      return false;
    };
    slowly(near, far, roughness, count);
    slowly(far, near, roughness, count);
  }
}

/** Passes bytes on after the delay, no faster than the line allows. */
function slowly(
  from: Socket,
  to: Socket,
  roughness: Roughness,
  count: (bytes: number) => boolean,
): void {
  let lineFreeAt = 0;
  /** Timers of different lengths may ring out of order on a busy machine; a line's bytes never overtake each other. */
  const underWay: Buffer[] = [];
  from.on("data", (piece: Buffer) => {
    const now = performance.now();
    const startsAt = Math.max(now, lineFreeAt);
    lineFreeAt = startsAt + (piece.length / roughness.bytesPerSecond) * 1000;
    // The reader is held back while much is under way, as a real line's window would.
    const backlogMs = lineFreeAt - now;
    if (backlogMs > 500) {
      from.pause();
      setTimeout(() => from.resume(), backlogMs - 250);
    }
    underWay.push(piece);
    setTimeout(
      () => {
        const next = underWay.shift();
        if (next !== undefined && !to.destroyed && count(next.length)) to.write(next);
      },
      lineFreeAt - now + roughness.delayMs,
    );
  });
  from.on("end", () => {
    const rest = Math.max(0, lineFreeAt - performance.now());
    setTimeout(() => to.end(), rest + roughness.delayMs + 1);
  });
}

/** mulberry32: small, seeded, good enough to choose which connection is cut. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
