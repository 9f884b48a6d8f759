// A machine of its own, for tests: a small HTTP server in front of a folder that nobody else reads. What it runs was
// sent to it; what that leaves behind it hands out. Its processes outlive it, as they would on a real machine.
//   node scripts/run-ts.mjs apps/server/test/remote/agent.ts <folder> <python> <port>
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync } from "node:fs";
import { link, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import os from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { type AttemptHandle, LocalExecutor } from "../../src/domains/queue/index.ts";
import type { Hello, StagedOnMachine, Tree } from "./agent-protocol.ts";

const [folder = "", python = "", port = "0"] = process.argv.slice(2);
const home = path.resolve(folder);
mkdirSync(path.join(home, "content"), { recursive: true });
mkdirSync(path.join(home, "tmp"), { recursive: true });

const inside = (relative: string): string => {
  const file = path.resolve(home, relative);
  if (!file.startsWith(home + path.sep)) throw new Error(`${relative} leads elsewhere`);
  return file;
};
const contentAt = (sha256: string) => inside(path.join("content", sha256));
const runDir = (jobId: number) => inside(path.join("runs", String(jobId)));
const codeFile = ({ jobId, attempt }: AttemptHandle) =>
  path.join(runDir(jobId), `code-of-attempt-${attempt}.json`);

/** What runs here is what was sent with the attempt. */
async function executorOf(handle: AttemptHandle): Promise<LocalExecutor> {
  const known = existsSync(codeFile(handle)) ? await readFile(codeFile(handle), "utf8") : "[]";
  return new LocalExecutor({
    ...{ home, runDir, python, secrets: [], machine: () => null },
    workerSources: JSON.parse(known) as string[],
  });
}

async function grow({ at: relative, files }: Tree): Promise<void> {
  const target = inside(relative);
  const beside = path.join(home, "tmp", randomUUID());
  for (const file of files) {
    const at = path.join(beside, file.path);
    mkdirSync(path.dirname(at), { recursive: true });
    await link(contentAt(file.sha256), at);
  }
  await rm(target, { recursive: true, force: true });
  mkdirSync(path.dirname(target), { recursive: true });
  await rename(beside, target);
}

async function filesBelow(root: string, relative: string): Promise<object[] | null> {
  const at = path.join(root, relative);
  const found = await stat(at).catch(() => null);
  if (found === null) return null;
  if (found.isFile()) return [{ path: relative, size: found.size }];
  const entries = await readdir(at, { recursive: true, withFileTypes: true });
  const plain = entries.filter((entry) => entry.isFile() && !entry.name.endsWith(".tmp"));
  return Promise.all(
    plain.map(async ({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      return { path: path.relative(root, file), size: (await stat(file)).size };
    }),
  );
}

async function takeContent(request: IncomingMessage, sha256: string): Promise<void> {
  const beside = path.join(home, "tmp", randomUUID());
  const hash = createHash("sha256");
  request.on("data", (chunk: Buffer) => hash.update(chunk));
  await pipeline(request, createWriteStream(beside));
  if (hash.digest("hex") !== sha256) throw new Error(`${sha256} came in pieces`);
  await rename(beside, contentAt(sha256));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
}

async function stage({ spec, token, trees, code }: StagedOnMachine): Promise<void> {
  for (const tree of trees) await grow(tree);
  const handle = { jobId: spec.job_id, attempt: spec.attempt, ref: null };
  mkdirSync(runDir(handle.jobId), { recursive: true });
  await writeFile(codeFile(handle), JSON.stringify(code));
  await (await executorOf(handle)).stage({ spec, token, material: [] });
}

async function act(verb: string, handle: AttemptHandle, body: unknown): Promise<unknown> {
  const executor = await executorOf(handle);
  switch (verb) {
    case "start":
      return { ref: await executor.start(handle) };
    case "adopt":
      return { ref: await executor.adopt(handle) };
    case "find":
      return { ref: await executor.find(handle) };
    case "state":
      return executor.state(handle);
    case "stop":
      if (existsSync(path.join(runDir(handle.jobId), "attempts", String(handle.attempt))))
        await executor.stop(handle, (body as { force: "terminate" | "kill" }).force);
      return {};
    case "logs":
      return { lines: await executor.logs(handle, 50) };
    default:
      throw new Error(`there is no ${verb}`);
  }
}

/** A worker asks its data folder where the server is; a server that has moved is found there. */
async function noteServer(url: string | string[] | undefined): Promise<void> {
  if (typeof url !== "string") return;
  const file = path.join(home, "server.json");
  const known = existsSync(file) ? await readFile(file, "utf8") : "";
  const wanted = JSON.stringify({ url });
  if (known === wanted) return;
  const beside = path.join(home, "tmp", randomUUID());
  await writeFile(beside, wanted);
  await rename(beside, file);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await noteServer(request.headers["x-spotter-server"]);
  const url = new URL(request.url ?? "/", "http://machine");
  const [place = "", id = "", attempt = "", verb = ""] = url.pathname.split("/").slice(1);
  const reply = (body: unknown, status = 200) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const relative = url.searchParams.get("path") ?? "";
  if (place === "hello") {
    const hello: Hello = { folder: home, cpu_cores: 1, memory_gib: os.totalmem() / 2 ** 30 };
    reply(hello);
  } else if (place === "missing") {
    const { sha256s } = (await readBody(request)) as { sha256s: string[] };
    reply({ sha256s: sha256s.filter((sha256) => !existsSync(contentAt(sha256))) });
  } else if (place === "content") {
    await takeContent(request, id);
    reply({});
  } else if (place === "stage") {
    await stage((await readBody(request)) as StagedOnMachine);
    reply({});
  } else if (place === "attempts") {
    const ref = url.searchParams.get("ref");
    const handle = { jobId: Number(id), attempt: Number(attempt), ref };
    reply(await act(verb, handle, await readBody(request)));
  } else if (place === "files") {
    const files = await filesBelow(runDir(Number(id)), relative);
    reply({ files }, files === null ? 404 : 200);
  } else if (place === "file") {
    const file = path.join(runDir(Number(id)), relative);
    if (!existsSync(file)) return void reply({}, 404);
    response.writeHead(200, { "content-length": (await stat(file)).size });
    await pipeline(createReadStream(file), response);
  } else if (place === "runs" && request.method === "DELETE") {
    await rm(runDir(Number(id)), { recursive: true, force: true });
    reply({});
  } else reply({ message: `there is no ${request.method} ${url.pathname}` }, 404);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: Error) => {
    if (response.headersSent) response.destroy();
    else response.writeHead(500).end(JSON.stringify({ message: error.message }));
  });
});
server.listen(Number(port), "127.0.0.1", () => {
  const address = server.address();
  const found = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ port: found })}\n`);
});
