// Ends requests whose body has stopped coming. A limit on the whole time would cut a large upload over a slow line; a
// body may take as long as it likes while it moves, and a handful of bytes now and then is not moving.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { answerTooSlow } from "./raw-answer.ts";

export interface SlowBodyLimits {
  readonly windowMs: number;
  /** So much must come in each window, unless the body ends in it. */
  readonly minBytes: number;
}

interface Receiving {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Of the socket, when the window began; null until the first whole window begins. */
  bytesAtStart: number | null;
}

export function endSlowBodies(app: FastifyInstance, { windowMs, minBytes }: SlowBodyLimits): void {
  const receiving = new Set<Receiving>();
  app.addHook("onRequest", async (request, reply) => {
    if (hasBody(request.raw))
      receiving.add({ request: request.raw, response: reply.raw, bytesAtStart: null });
  });
  const timer = setInterval(() => {
    for (const body of receiving) {
      const { request, response, bytesAtStart } = body;
      const { socket } = request;
      if (request.complete || socket.destroyed) receiving.delete(body);
      else if (bytesAtStart === null || isOurs(request) || moved(body) >= minBytes)
        body.bytesAtStart = socket.bytesRead;
      else {
        receiving.delete(body);
        if (response.headersSent) socket.destroy();
        else answerTooSlow(socket);
      }
    }
  }, windowMs);
  timer.unref();
  app.addHook("onClose", async () => clearInterval(timer));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function moved({ request, bytesAtStart }: Receiving): number {
  return request.socket.bytesRead - (bytesAtStart ?? 0);
}

// Bytes lie here that nobody has read yet: it is our disk that is slow.
function isOurs(request: IncomingMessage): boolean {
  return request.readableLength > 0;
}
