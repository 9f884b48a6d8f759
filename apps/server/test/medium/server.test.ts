// What holds for every request, over real HTTP: guard, errors, headers, ids, pages.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import os from "node:os";
import path from "node:path";
import { endpoints, getHealth, getMe, getSystemInfo } from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";

let server: TestServer;
let webFolder: string;

beforeAll(async () => {
  webFolder = mkdtempSync(path.join(os.tmpdir(), "spotter-web-"));
  mkdirSync(path.join(webFolder, "assets"));
  writeFileSync(path.join(webFolder, "index.html"), "<title>Spotter</title>");
  writeFileSync(path.join(webFolder, "assets/app-1a2b3c.js"), "export {};");
  server = await startTestServer({
    webFolder,
    env: {
      SPOTTER_ALLOWED_ORIGINS: "https://lab.example",
      SPOTTER_ALLOWED_HOSTS: "spotter.example",
      SPOTTER_MAX_BODY_MB: "1",
    },
  });
});
afterAll(async () => {
  await server.close();
  rmSync(webFolder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

// Node's fetch does not let a caller choose the Host header.
function ask(
  address: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${server.url}${address}`,
      { method: options.method ?? "GET", headers: options.headers ?? {} },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    request.once("error", reject);
    request.end(options.body);
  });
}

const codeOf = (answer: Answer) => {
  const parsed = JSON.parse(answer.body) as { error: { code: string } };
  return `${answer.status} ${parsed.error.code}`;
};
const json = { "content-type": "application/json" };

describe("the server", () => {
  it("is healthy and says what it is", async () => {
    const health = await server.client.call(getHealth, {});
    expect(health.checks.database).toMatchObject({ ok: true });
    const info = await server.client.call(getSystemInfo, {});
    expect(info).toMatchObject({ database: server.database.engine, data_folder: server.home });
    expect((await server.client.call(getMe, {})).user.is_admin).toBe(true);
  });

  it("describes its API as OpenAPI, every endpoint in it", async () => {
    const response = await fetch(`${server.url}/api/docs`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const { openapi, paths } = (await response.json()) as { openapi: string; paths: object };
    expect(openapi).toMatch(/^3\./);
    const told = new Set(Object.keys(paths));
    const missing = endpoints
      .map(({ path }) => path.replace(/:(\w+)/g, "{$1}"))
      .filter((path) => !told.has(path));
    expect(missing).toEqual([]);
  });

  it("reads its host within seconds", async () => {
    await expect
      .poll(async () => (await server.client.call(getSystemInfo, {})).host, { timeout: 5000 })
      .toMatchObject({ cpu_percent: expect.any(Number), memory_total_gib: expect.any(Number) });
  });

  it.each(["evil.example", "evil.example:8888", "127.0.0.1.evil.example", "a b", "[::1"])(
    "refuses the Host %s",
    async (host) => {
      expect(codeOf(await ask("/api/system/health", { headers: { host } }))).toBe(
        "403 host-not-allowed",
      );
    },
  );

  it.each(["localhost", "spotter.localhost:1", "127.0.0.1:9", "[::1]:8888", "192.168.1.7"])(
    "serves the Host %s",
    async (host) => {
      expect((await ask("/api/system/health", { headers: { host } })).status).toBe(200);
    },
  );

  it.each(["https://evil.example", "null", "http://127.0.0.1:1", "file://x"])(
    "refuses pages of the origin %s",
    async (origin) => {
      expect(codeOf(await ask("/api/system/health", { headers: { origin } }))).toBe(
        "403 origin-not-allowed",
      );
      const upgrade = { origin, connection: "Upgrade", upgrade: "websocket" };
      expect((await ask("/ws/metrics", { headers: upgrade })).status).toBe(403);
    },
  );

  it.each([
    ["spotter.example", "http://spotter.example:9999"],
    ["spotter.example:8888", "http://spotter.example:9999"],
    ["127.0.0.1:8888", `http://${os.hostname()}:9999`],
    ["127.0.0.1:8888", "https://spotter.example:8443"],
    ["spotter.example:80", "https://spotter.example:81"],
  ])("at %s takes %s for another program's page", async (host, origin) => {
    expect(codeOf(await ask("/api/system/health", { headers: { host, origin } }))).toBe(
      "403 origin-not-allowed",
    );
  });

  it.each([
    ["spotter.example", "https://spotter.example"],
    ["spotter.example:443", "https://spotter.example"],
    ["spotter.example:8443", "https://spotter.example:8443"],
    ["127.0.0.1:8888", "https://spotter.example"],
  ])("at %s knows %s for its own page, behind a proxy too", async (host, origin) => {
    expect((await ask("/api/system/health", { headers: { host, origin } })).status).toBe(200);
  });

  it.each(["/ws/nowhere", "/api/runs", "/"])(
    "does not shake hands for a WebSocket at %s",
    async (address) => {
      const headers = {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": Buffer.alloc(16).toString("base64"),
        authorization: `Bearer ${server.token}`,
      };
      expect(codeOf(await ask(address, { headers }))).toBe("404 route-not-found");
    },
  );

  it("serves its own pages and those of an allowed origin", async () => {
    const own = await ask("/api/system/health", { headers: { origin: server.url } });
    expect(own.status).toBe(200);
    expect(own.headers["access-control-allow-origin"]).toBeUndefined();
    const origin = "https://lab.example";
    const allowed = await ask("/api/system/health", { headers: { origin } });
    expect(allowed.headers["access-control-allow-origin"]).toBe(origin);
    const preflight = await ask("/api/runs", {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-methods"]).toContain("POST");
  });

  it("answers every failure in the one envelope", async () => {
    const post = (body: string, headers: Record<string, string> = json) =>
      ask("/api/auth/sign-in", { method: "POST", headers, body });
    expect(codeOf(await post("{"))).toBe("400 malformed-json");
    expect(codeOf(await post(""))).toBe("400 malformed-json");
    expect(codeOf(await post('{"__proto__":{}}'))).toBe("400 malformed-json");
    expect(codeOf(await post("{}"))).toBe("400 invalid-request");
    expect(codeOf(await post("[1]"))).toBe("400 invalid-request");
    expect(codeOf(await post("x", { "content-type": "text/plain" }))).toBe(
      "415 unsupported-media-type",
    );
    expect(codeOf(await post(JSON.stringify({ name: "x".repeat(2 ** 20) })))).toBe(
      "413 body-too-large",
    );
    expect(codeOf(await ask("/api/nowhere"))).toBe("404 route-not-found");
    expect(codeOf(await ask("/api/%E0%A4%A"))).toBe("404 route-not-found");
    expect(codeOf(await ask("/api/auth/me"))).toBe("401 not-signed-in");
  });

  it("answers what is no HTTP, and headers without end", async () => {
    const headers = { "x-long": "x".repeat(40_000) };
    expect(codeOf(await ask("/api/system/health", { headers }))).toBe("431 invalid-request");
    const { port, hostname } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write("hello\r\n\r\n");
    const answer = await new Promise((resolve) =>
      socket.once("data", (data) => resolve(`${data}`)),
    );
    expect(answer).toMatch(/^HTTP\/1.1 400 [\s\S]+"invalid-request"/m);
    socket.destroy();
  });

  it("gives each request an id and safe headers, and says nothing of what it is built with", async () => {
    const { headers } = await ask("/api/system/health");
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f]{8}-/);
    expect(headers["content-security-policy"]).toContain("default-src 'self'");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["x-powered-by"]).toBeUndefined();
  });

  it("serves the pages: assets for ever, the index for every address of theirs", async () => {
    const asset = await ask("/assets/app-1a2b3c.js");
    expect(asset.headers["cache-control"]).toContain("immutable");
    for (const address of ["/", "/runs/42", "/sign-in?next=/runs"]) {
      const page = await ask(address);
      expect(page.body).toContain("Spotter");
      expect(page.headers["cache-control"]).toBe("no-cache");
    }
    expect((await ask("/assets/gone.js")).status).toBe(404);
    expect((await ask("/../../etc/passwd")).body).not.toContain("root:");
    expect((await ask("/%2e%2e/%2e%2e/etc/passwd")).body).not.toContain("root:");
  });
});
