// SSE and WebSocket as the seeds' doors use them: bare messages.
import type { WebSocket } from "@fastify/websocket";
import type { FastifyReply } from "fastify";
import type { Wire } from "./flat-outlets.ts";
import { SseOutlet } from "./live-outlets.ts";

const DRAIN_CHECK_MS = 50;
const DRAIN_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 5_000;
/** "Service restart": clients may come again at once. */
const CLOSE_CODE = 1012;

export class SseWire implements Wire {
  readonly #outlet: SseOutlet;

  constructor(reply: FastifyReply) {
    this.#outlet = new SseOutlet(reply);
  }

  write(message: unknown, position: string | null): void {
    const id = position === null ? "" : `id: ${position}\n`;
    this.#outlet.write(`${id}data: ${JSON.stringify(message)}\n\n`);
  }
  beat(): void {
    this.#outlet.beat();
  }
  backlog(): number {
    return this.#outlet.backlog();
  }
  drained(): Promise<void> {
    return this.#outlet.drained();
  }
  end(): void {
    this.#outlet.end();
  }
  onGone(callback: () => void): void {
    this.#outlet.onGone(callback);
  }
}

export class SocketWire implements Wire {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  write(message: unknown): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }
  beat(): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }
  backlog(): number {
    return this.#socket.bufferedAmount;
  }

  // A WebSocket tells nobody that its buffer is empty.
  drained(): Promise<void> {
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        const isOpen = this.#socket.readyState === this.#socket.OPEN;
        if (isOpen && performance.now() - startedAt > DRAIN_TIMEOUT_MS) this.#socket.terminate();
        if (isOpen && this.#socket.bufferedAmount > 0) return;
        clearInterval(timer);
        resolve();
      }, DRAIN_CHECK_MS);
    });
  }

  // The request of an upgraded socket never tells that it was closed.
  onGone(callback: () => void): void {
    if (this.#socket.readyState === this.#socket.CLOSED) callback();
    else this.#socket.once("close", callback);
  }

  end(): void {
    this.#socket.close(CLOSE_CODE);
    setTimeout(() => this.#socket.terminate(), END_TIMEOUT_MS).unref();
  }
}
