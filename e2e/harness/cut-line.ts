// A line between worker and server that can be cut the way networks are: nothing is refused, nothing comes through. What
// was under way arrives when it is whole again, as a network's own repeats would bring it.
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export class CutLine {
  readonly url: string;
  connections = 0;
  #targetPort = 0;
  #isCut = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
    server.on("connection", (near) => this.#join(near, connect(this.#targetPort, "127.0.0.1")));
  }

  static async open(): Promise<CutLine> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the line has no port");
    return new CutLine(server, `http://127.0.0.1:${address.port}`);
  }

  leadTo(url: string): void {
    this.#targetPort = Number(new URL(url).port);
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, far: Socket): void {
    this.connections += 1;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (piece) => to.write(piece));
      from.on("end", () => to.end());
      // Cut off at one end: the other hears of it by its own end.
      from.on("error", () => to.destroy());
      from.on("close", () => this.#sockets.delete(from));
      if (this.#isCut) from.pause();
    }
  }
}
