// Clients that send a little and then wait, over real sockets.
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeHttpServer } from "./http-server.ts";
import { Log } from "./log.ts";

let app: FastifyInstance;
let port: number;
const sockets: Socket[] = [];

beforeEach(async () => {
  app = await makeHttpServer({
    settings: {
      ...{ host: "127.0.0.1", allowedHosts: [], allowedOrigins: [], advertiseUrl: undefined },
      ...{ maxBodyBytes: 1024 * 1024, trustProxy: false, secureCookies: false },
    },
    log: new Log({ level: "silent", format: "json", write: () => undefined }),
    ...{ cookieKey: "0".repeat(64), webFolder: null, isClosing: () => false },
    slowness: { headersMs: 200, body: { windowMs: 150, minBytes: 100 } },
  });
  app.post("/echo", (request) => ({ length: JSON.stringify(request.body).length }));
  app.get("/wait", async () => {
    await delay(700);
    return { waited: true };
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  port = (app.server.address() as { port: number }).port;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

interface Drip {
  readonly text: string;
  readonly everyMs: number;
  readonly times: number;
  readonly last?: string;
}

/** Sends the text, then `more` again and again; resolves with all that was answered when the connection ends. */
function send(text: string, more?: Drip) {
  const socket = connect(port, "127.0.0.1");
  sockets.push(socket);
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => {
    answer += part;
  });
  // A connection that is cut while we write is what some of these tests want.
  socket.on("error", () => undefined);
  socket.write(text);
  const drip = async () => {
    for (let count = 0; count < (more?.times ?? 0) && socket.writable; count += 1) {
      await delay(more?.everyMs);
      socket.write(more?.text ?? "");
    }
    if (more?.last !== undefined) socket.write(more.last);
  };
  return Promise.all([
    new Promise<string>((resolve) => socket.once("close", () => resolve(answer))),
    drip(),
  ]).then(([all]) => all);
}

const head = (length: number) =>
  `POST /echo HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

describe("a slow client", () => {
  it("whose body stops is told so and loses its connection", async () => {
    expect(await send(`${head(500)}"abc`)).toMatch(/^HTTP\/1.1 408 [\s\S]*"request-too-slow"/);
  });

  it("that sends a byte now and then is no better", async () => {
    const answer = await send(`${head(500)}"`, { text: "a", everyMs: 20, times: 60 });
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
  });

  it("whose headers never end is told so", async () => {
    expect(await send("POST /echo HTTP/1.1\r\nhost: 127.0.0.1\r\n")).toMatch(
      /^HTTP\/1.1 408 [\s\S]*"request-too-slow"/,
    );
  });

  it("that says nothing at all loses its connection", async () => {
    expect(await send("")).toMatch(/408/);
  });

  it("is served when its body moves, however long it takes", async () => {
    const part = "a".repeat(2000);
    const body = `"${part.repeat(20)}"`;
    const drip = { text: part, everyMs: 30, times: 20, last: '"' };
    expect(await send(`${head(body.length)}"`, drip)).toMatch(
      /^HTTP\/1.1 200 [\s\S]*"length":40002/,
    );
  });

  it("may wait for its answer as long as that takes", async () => {
    const answer = await send("GET /wait HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1.1 200 [\s\S]*"waited":true/);
  });
});
