// Somebody else's server, for tests of what is sent there: real HTTP on a free port, answers as the test says.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Received {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** `silent`: takes the request and never answers. */
export type Answer = { readonly status: number; readonly text?: string } | "silent";

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What the next requests are answered, in order; then 200. */
  readonly answers: Answer[];
  /** What a request is answered when nothing else was said. */
  usual: Answer;
}

/** Closed after the test. */
export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const answers: Answer[] = [];
  const receiver: { usual: Answer } = { usual: { status: 200, text: "ok" } };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
      received.push({
        ...{ path: pathname, query: searchParams, headers: request.headers },
        body: Buffer.concat(chunks).toString("utf8"),
      });
      reply(response, answers.shift() ?? receiver.usual);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, { url: `http://127.0.0.1:${port}`, received, answers });
}

function reply(response: ServerResponse, answer: Answer): void {
  if (answer !== "silent") response.writeHead(answer.status).end(answer.text ?? "");
}
