// An answer straight onto the socket, for what never became a request, or never became a whole one.
import type { Socket } from "node:net";
import { SpotterError } from "./errors.ts";

/** Answers in the one envelope and closes the connection. */
export function answerRaw(socket: Socket, reason: string, error: SpotterError): void {
  const body = JSON.stringify(error.toEnvelope());
  socket.end(
    `HTTP/1.1 ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  // Whoever goes on sending, or never reads the answer, loses the connection all the same.
  socket.destroySoon();
}

/** What came in is not HTTP that Node can read, or its headers never ended: there is no request, only a socket. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return;
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") {
    answerTooSlow(socket);
    return;
  }
  const isLong = error.code === "HPE_HEADER_OVERFLOW";
  const message = isLong ? "The request's headers are too long." : "This is not an HTTP request.";
  const reason = isLong ? "431 Request Header Fields Too Large" : "400 Bad Request";
  answerRaw(socket, reason, new SpotterError("invalid-request", message));
}

export function answerTooSlow(socket: Socket): void {
  answerRaw(socket, "408 Request Timeout", new SpotterError("request-too-slow"));
}
