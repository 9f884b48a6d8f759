// The two kinds of connection under a live reader in Spotter's own format: an SSE answer, and the base of WebSockets.
import type { FastifyReply } from "fastify";
import type { LiveFrame } from "./live-frame.ts";
import type { Outlet } from "./live-reader.ts";
import type { NameFilter } from "./series-names.ts";

// A reader that takes nothing for this long is gone.
const DRAIN_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 10_000;
const BEAT = Buffer.from(": heartbeat\n\n");

export class SseOutlet implements Outlet {
  readonly #reply: FastifyReply;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
    reply.hijack();
    // The stream ends with its connection, so chunks would only make three writes of each event.
    reply.raw.useChunkedEncodingByDefault = false;
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      // nginx would collect the stream in its buffer.
      "x-accel-buffering": "no",
    });
    reply.raw.flushHeaders();
  }

  send(frame: LiveFrame, position: string | null, filter: NameFilter | undefined): void {
    const bytes = frame.sse(position, filter);
    if (bytes !== undefined) this.write(bytes);
  }

  /**
   * The body has no framing of its own, so once the headers are out it goes straight to the socket: through the answer
   * each event would be corked and written a turn later, at twice the processor time, and readers come by the hundred.
   */
  write(bytes: Buffer | string): void {
    const { raw } = this.#reply;
    if (raw.destroyed) return;
    // Behind an unfinished answer on the same connection an answer has no socket yet.
    if (raw.socket === null || raw.writableLength > raw.socket.writableLength) raw.write(bytes);
    else raw.socket.write(bytes);
  }

  beat(): void {
    this.write(BEAT);
  }

  backlog(): number {
    return this.#reply.raw.writableLength;
  }

  drained(): Promise<void> {
    const { raw } = this.#reply;
    if (raw.destroyed || raw.writableLength === 0) return Promise.resolve();
    const { socket } = raw;
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        socket?.off("drain", finish);
        raw.off("drain", finish);
        raw.off("close", finish);
        resolve();
      };
      const timer = setTimeout(() => raw.destroy(), DRAIN_TIMEOUT_MS);
      socket?.on("drain", finish);
      raw.on("drain", finish);
      raw.on("close", finish);
    });
  }

  onGone(callback: () => void): void {
    const { raw } = this.#reply;
    if (raw.destroyed || raw.socket?.destroyed) callback();
    else raw.once("close", callback);
  }

  end(): void {
    const { raw } = this.#reply;
    if (raw.destroyed) return;
    raw.end();
    setTimeout(() => raw.destroy(), END_TIMEOUT_MS).unref();
  }
}
