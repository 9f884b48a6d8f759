// An executor for tests whose machine shares nothing with the server but HTTP. Code and data are sent by their
// contents, each once; trees are put together on the other side.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import {
  type AttemptHandle,
  type AttemptState,
  type Executor,
  type FileSource,
  type MachineNow,
  MachineUnreachable,
  relocated,
  type StagedAttempt,
  type StopForce,
  type StoredFile,
} from "../../src/domains/queue/index.ts";
import type { Hello, StagedOnMachine, Tree } from "./agent-protocol.ts";

const TIMEOUT_MS = 5_000;

export interface RemoteExecutorOptions {
  /** The machine's address; it may change, as another takes its place. */
  readonly machineUrl: () => string;
  readonly serverUrl: () => string;
  /** Folders of the packages that workers are made of, on the server's disk. */
  readonly workerSources: readonly string[];
  readonly patienceS: number;
}

interface Packed {
  readonly tree: Tree;
  /** By content: where its bytes are on the server's disk. */
  readonly contents: ReadonlyMap<string, string>;
}

export class RemoteExecutor implements Executor {
  readonly name = "remote";
  readonly patienceS: number;
  readonly files: FileSource = {
    list: (handle, relative, signal) => this.#list(handle, relative, signal),
    read: (handle, relative, signal) => this.#read(handle, relative, signal),
    forget: async (jobId) => {
      await this.#call("DELETE", `/runs/${jobId}`);
    },
  };
  readonly #options: RemoteExecutorOptions;
  #hello: Hello | null = null;
  #greeting: Promise<unknown> | undefined;

  constructor(options: RemoteExecutorOptions) {
    this.#options = options;
    this.patienceS = options.patienceS;
  }

  unavailable(): string | null {
    return null;
  }

  machine(): MachineNow | null {
    if (this.#hello === null) {
      // The scheduler asks each second: the next time it is known.
      this.#greeting ??= this.#greet()
        .catch((error: unknown) => {
          if (!(error instanceof MachineUnreachable)) throw error;
        })
        .finally(() => {
          this.#greeting = undefined;
        });
      return null;
    }
    const { cpu_cores: cpuCores, memory_gib: memoryGib } = this.#hello;
    return { gpus: [], cpuCores, memoryGib, diskFreeGib: 1_000 };
  }

  async stage({ spec, token, material }: StagedAttempt, signal: AbortSignal): Promise<void> {
    const { folder } = await this.#greet();
    const places = new Map<string, string>();
    const trees: Tree[] = [];
    for (const { path: file, inRunDir } of material) {
      const inRun = inRunDir === null ? null : `runs/${spec.job_id}/${inRunDir}`;
      const packed = await pack(file, inRun);
      if (packed === null) continue;
      await this.#sendContents(packed, signal);
      trees.push(packed.tree);
      places.set(file, path.join(folder, packed.tree.at));
    }
    const code: string[] = [];
    for (const source of this.#options.workerSources) {
      const packed = await pack(source, null);
      if (packed === null) throw new Error(`there is nothing in ${source}`);
      await this.#sendContents(packed, signal);
      trees.push(packed.tree);
      code.push(path.join(folder, packed.tree.at));
    }
    const there = relocated(spec, (file) => {
      const place = places.get(file);
      if (place === undefined) throw new Error(`${file} is not on this server`);
      return place;
    });
    const staged: StagedOnMachine = { spec: there, token, trees, code };
    await this.#call("POST", "/stage", staged, signal);
  }

  start(handle: AttemptHandle): Promise<string> {
    return this.#ref(handle, "start") as Promise<string>;
  }

  adopt(handle: AttemptHandle): Promise<string> {
    return this.#ref(handle, "adopt") as Promise<string>;
  }

  find(handle: AttemptHandle): Promise<string | null> {
    return this.#ref(handle, "find");
  }

  async state(handle: AttemptHandle): Promise<AttemptState> {
    try {
      return (await this.#act(handle, "state")) as AttemptState;
    } catch (error) {
      if (!(error instanceof MachineUnreachable)) throw error;
      return { kind: "unreachable", why: error.message };
    }
  }

  async stop(handle: AttemptHandle, force: StopForce): Promise<void> {
    await this.#act(handle, "stop", { force });
  }

  async logs(handle: AttemptHandle): Promise<string[]> {
    return ((await this.#act(handle, "logs")) as { lines: string[] }).lines;
  }

  async #greet(): Promise<Hello> {
    this.#hello = (await this.#call("GET", "/hello")) as Hello;
    return this.#hello;
  }

  async #sendContents({ contents }: Packed, signal: AbortSignal): Promise<void> {
    const sha256s = [...contents.keys()];
    const answer = await this.#call("POST", "/missing", { sha256s }, signal);
    for (const sha256 of (answer as { sha256s: string[] }).sha256s) {
      const body = Readable.toWeb(createReadStream(contents.get(sha256) ?? "")) as ReadableStream;
      await this.#send(`/content/${sha256}`, { method: "PUT", body, duplex: "half", signal });
    }
  }

  async #ref(handle: AttemptHandle, verb: string): Promise<string | null> {
    return ((await this.#act(handle, verb)) as { ref: string | null }).ref;
  }

  #act({ jobId, attempt, ref }: AttemptHandle, verb: string, body: object = {}): Promise<unknown> {
    const query = ref === null ? "" : `?ref=${encodeURIComponent(ref)}`;
    return this.#call("POST", `/attempts/${jobId}/${attempt}/${verb}${query}`, body);
  }

  async #list(
    { jobId }: AttemptHandle,
    relative: string,
    signal: AbortSignal,
  ): Promise<readonly StoredFile[] | null> {
    const found = await this.#send(`/files/${jobId}?path=${encodeURIComponent(relative)}`, {
      signal,
    });
    const { files } = (await found.json()) as { files: StoredFile[] | null };
    return files;
  }

  async #read(
    { jobId }: AttemptHandle,
    relative: string,
    signal: AbortSignal,
  ): Promise<Readable | null> {
    const found = await this.#send(`/file/${jobId}?path=${encodeURIComponent(relative)}`, {
      signal,
    });
    if (found.status === 404 || found.body === null) return null;
    return Readable.fromWeb(found.body as ReadableStream);
  }

  async #call(
    method: string,
    place: string,
    body?: object,
    signal = AbortSignal.timeout(TIMEOUT_MS),
  ): Promise<unknown> {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    return (await this.#send(place, { method, signal, ...content })).json();
  }

  async #send(place: string, options: RequestInit & { duplex?: "half" }): Promise<Response> {
    const { machineUrl, serverUrl } = this.#options;
    let response: Response;
    try {
      const headers = { "x-spotter-server": serverUrl() };
      response = await fetch(machineUrl() + place, { ...options, headers } as RequestInit);
    } catch (error) {
      if (options.signal?.aborted && options.signal.reason?.name !== "TimeoutError") throw error;
      const { cause } = error as { cause?: { code?: string } };
      throw new MachineUnreachable(
        `the agent at ${machineUrl()} says nothing: ${cause?.code ?? (error as Error).message}`,
        { cause: error },
      );
    }
    if (response.ok || response.status === 404) return response;
    throw new Error(`the agent answers ${response.status}: ${await response.text()}`);
  }
}

/** @param inRun where its tree is to stand; null: under a name made of its contents */
async function pack(file: string, inRun: string | null): Promise<Packed | null> {
  const found = await stat(file).catch(() => null);
  if (found === null) return null;
  const names = found.isDirectory() ? await plainFilesBelow(file) : [""];
  const contents = new Map<string, string>();
  const files: { path: string; sha256: string }[] = [];
  for (const name of names) {
    const at = path.join(file, name);
    const sha256 = await sha256Of(at);
    contents.set(sha256, at);
    files.push({ path: name, sha256 });
  }
  const digest = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16);
  // A file keeps its name: what it is shows in its ending.
  const at = inRun ?? path.posix.join("material", digest, path.basename(file));
  return { tree: { at, files }, contents };
}

async function plainFilesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("__pycache__"))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}
