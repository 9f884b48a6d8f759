// Many SSE readers in one process, each a raw socket that only notes when an event of a commit arrived.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Arrival {
  readonly commitNo: number;
  /** `performance.now()` of this process. */
  readonly at: number;
}

export class SseCrowd {
  readonly arrivals: Arrival[] = [];
  /** Events as they came, by commit; the first reader alone keeps them. */
  readonly events = new Map<number, string>();
  readonly #sockets: Socket[] = [];

  static async open(url: string, token: string, runId: number, count: number): Promise<SseCrowd> {
    const crowd = new SseCrowd();
    const { hostname, port, host } = new URL(url);
    const request = `GET /api/stream?runs=${runId}&topics=metrics HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\n\r\n`;
    for (let opened = 0; opened < count; opened += 50)
      await Promise.all(
        Array.from({ length: Math.min(50, count - opened) }, () =>
          crowd.#join(Number(port), hostname, request),
        ),
      );
    return crowd;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #join(port: number, hostname: string, request: string): Promise<void> {
    const socket = connect(port, hostname);
    socket.setNoDelay(true);
    await once(socket, "connect");
    this.#sockets.push(socket);
    const keeps = socket === this.#sockets[0];
    let text = "";
    const opened = new Promise<void>((resolve) => {
      socket.on("data", (chunk) => {
        const at = performance.now();
        text += chunk.toString("latin1");
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const message = text.slice(0, end);
          text = text.slice(end + 2);
          if (message.includes("event: stream-opened")) resolve();
          const commit = /^id: \d+:(\d+)\nevent: metric-appended/m.exec(message)?.[1];
          if (commit === undefined) continue;
          this.arrivals.push({ commitNo: Number(commit), at });
          if (keeps) this.events.set(Number(commit), message);
        }
      });
    });
    socket.write(request);
    await opened;
  }
}
