// Sending carefully, against a real server.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { post } from "./post.ts";

let server: Server;
let port: number;
let seen: { host: string | undefined; body: string }[];

beforeEach(async () => {
  seen = [];
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      seen.push({ host: request.headers.host, body });
      if (request.url === "/silent") return;
      if (request.url === "/redirect")
        response.writeHead(302, { location: `http://127.0.0.1:${port}/ok` }).end();
      else if (request.url === "/endless") {
        response.writeHead(200);
        const write = () => {
          while (response.write("x".repeat(65_536)));
        };
        response.on("drain", write);
        write();
      } else response.writeHead(500).end("no luck");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const send = (path: string, change: object = {}) =>
  post({
    url: `http://localhost:${port}${path}`,
    ...{ headers: {}, body: "{}", allowPrivate: true, timeoutMs: 20_000 },
    ...change,
  });

it("hands over the answer, whatever its status", async () => {
  expect(await send("/x")).toEqual({ status: 500, text: "no luck" });
  expect(seen).toEqual([{ host: `localhost:${port}`, body: "{}" }]);
});

it("does not follow a redirect", async () => {
  expect((await send("/redirect")).status).toBe(302);
  expect(seen).toHaveLength(1);
});

it("reads the beginning of an endless answer and goes", async () => {
  expect((await send("/endless")).text).toHaveLength(4_096);
});

it("gives up on a receiver that says nothing", async () => {
  await expect(send("/silent", { timeoutMs: 300 })).rejects.toThrow("No answer within 0.3 seconds");
});

it("sends nothing to a name that resolves to a private address", async () => {
  await expect(send("/x", { allowPrivate: false })).rejects.toThrow("Refused");
  expect(seen).toEqual([]);
});

it("says that nobody is there", async () => {
  const url = "http://127.0.0.1:9/";
  await expect(send("/", { url })).rejects.toThrow(/could not be reached: E/);
});
