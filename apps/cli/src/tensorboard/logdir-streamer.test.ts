// Streams real event files to an HTTP server that numbers batches as the real one does.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { HttpClient } from "@spotter/client";
import { CreateRun, EventBatch } from "@spotter/contract";
import { EventFileWriter } from "@spotter/tfevents";
import { afterEach, expect, it, vi } from "vitest";
import { LogdirStreamer, type Teller } from "./logdir-streamer.ts";
import { StateFolder } from "./state-folder.ts";

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

function newFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "spotter-tb-"));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

interface StoredRun {
  name: string;
  source: string | undefined;
  batches: EventBatch[];
}

/** Refuses runs of this name with 403. */
async function startServer(refusedName = "") {
  const runs = new Map<string, StoredRun>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    const answer = (status: number, value: object) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (request.url === "/api/runs") {
      const wish = CreateRun.parse(body);
      if (wish.name === refusedName)
        return answer(403, { error: { code: "role-too-low", message: "no" } });
      const key = wish.client_id ?? "";
      if (!runs.has(key))
        runs.set(key, { name: wish.name ?? "", source: wish.source, batches: [] });
      return answer(201, { id: [...runs.keys()].indexOf(key) + 1 });
    }
    const run = [...runs.values()][Number(request.url?.split("/")[3]) - 1];
    const batch = EventBatch.parse(body);
    const last = run?.batches.at(-1);
    const isNext =
      (batch.attempt === (last?.attempt ?? 1) && batch.seq === (last?.seq ?? 0) + 1) ||
      (batch.attempt === (last?.attempt ?? 1) + 1 && batch.seq === 1);
    if (isNext) run?.batches.push(batch);
    return answer(200, { seq: batch.seq, duplicate: !isNext, commit_no: null });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return { runs, client: new HttpClient({ baseUrl: `http://127.0.0.1:${port}` }) };
}

function pointsOf(run: StoredRun | undefined, name: string): [attempt: number, step: number][] {
  return (run?.batches ?? []).flatMap(({ attempt, events }) =>
    events.flatMap((event) =>
      event.type === "metric-points"
        ? (event.series[name]?.step ?? []).map((step): [number, number] => [attempt, step])
        : [],
    ),
  );
}

class Told implements Teller {
  readonly opened: string[] = [];
  readonly problems: string[] = [];
  runOpened = (folder: string) => void this.opened.push(folder);
  pointsSent = () => undefined;
  skipped = () => undefined;
  problem = (_: string, message: string) => void this.problems.push(message);
  retrying = () => undefined;
}

interface World {
  client: HttpClient;
  logdir: string;
  config: string;
  told: Told;
}

function openStreamer(
  { client, logdir, config, told }: World,
  quietMinutes = 60,
): Promise<LogdirStreamer> {
  const state = new StateFolder(config, "server", logdir);
  const signal = new AbortController().signal;
  return LogdirStreamer.open({
    ...{ client, logdir, projectId: undefined, state, teller: told, signal, quietMinutes },
  });
}

class Training {
  readonly #file: string;
  readonly #writer = new EventFileWriter();

  constructor(folder: string, number: number) {
    mkdirSync(folder, { recursive: true });
    this.#file = path.join(folder, `events.out.tfevents.170000000${number}.host.1.0`);
    writeFileSync(this.#file, this.#writer.fileVersion(1000));
  }

  log(...steps: number[]): void {
    for (const step of steps)
      appendFileSync(
        this.#file,
        this.#writer.scalars({ step, wallTime: 1000 + step, values: { loss: step } }),
      );
  }
}

it("streams each folder as a run, and a later process goes on without doubling a point", async () => {
  const { runs, client } = await startServer();
  const world = { client, logdir: newFolder(), config: newFolder(), told: new Told() };
  const training = new Training(path.join(world.logdir, "a"), 1);
  training.log(0, 1);
  new Training(world.logdir, 1).log(7);
  await (await openStreamer(world)).poll();
  expect(world.told.opened.sort()).toEqual([".", "a"]);

  training.log(2, 3);
  const second = await openStreamer(world);
  await second.poll();
  training.log(4);
  await second.poll();
  // Started again from step 2, as a training does from its checkpoint: a new file.
  new Training(path.join(world.logdir, "a"), 2).log(2, 3);
  await second.poll();

  const stored = [...runs.values()];
  expect(stored).toHaveLength(2);
  const run = stored.find(({ name }) => name.endsWith("/a"));
  expect(run?.source).toBe("tensorboard");
  expect(pointsOf(run, "loss")).toEqual([
    [1, 0],
    [1, 1],
    [1, 2],
    [1, 3],
    [1, 4],
    [2, 2],
    [2, 3],
  ]);
  await second.endQuietRuns(true);
  expect(run?.batches.at(-1)?.events[0]).toMatchObject({ type: "run-ended", state: "finished" });
});

it("ends runs whose last point is long ago, so that old folders do not look alive", async () => {
  const { runs, client } = await startServer();
  const world = { client, logdir: newFolder(), config: newFolder(), told: new Told() };
  const training = new Training(world.logdir, 1);
  training.log(0, 1);
  const streamer = await openStreamer(world);
  await streamer.poll();
  await streamer.endQuietRuns(false);
  const [run] = runs.values();
  expect(run?.batches.at(-1)?.events[0]?.type).toBe("run-ended");
  training.log(2);
  await streamer.poll();
  await streamer.endQuietRuns(false);
  expect(pointsOf(run, "loss")).toEqual([
    [1, 0],
    [1, 1],
    [2, 2],
  ]);
  expect(run?.batches.at(-1)?.events[0]).toMatchObject({ type: "run-started", first_step: 2 });
});

it("leaves a quiet run open for as long as it was told to, or for ever", async () => {
  const { runs, client } = await startServer();
  const world = { client, logdir: newFolder(), config: newFolder(), told: new Told() };
  // Its points are from 1970.
  new Training(world.logdir, 1).log(0, 1);
  const isEnded = () =>
    [...runs.values()].some(({ batches }) =>
      batches.some(({ events }) => events.some(({ type }) => type === "run-ended")),
    );
  for (const minutes of [0, 1e9]) {
    const patient = await openStreamer(world, minutes);
    await patient.poll();
    await patient.endQuietRuns(false);
    expect(isEnded()).toBe(false);
  }
  const strict = await openStreamer(world, 1);
  await strict.poll();
  await strict.endQuietRuns(false);
  expect(isEnded()).toBe(true);
});

it("goes on with the other folders when the server refuses one", async () => {
  const logdir = newFolder();
  const { runs, client } = await startServer(`${path.basename(logdir)}/a`);
  const world = { client, logdir, config: newFolder(), told: new Told() };
  new Training(path.join(logdir, "a"), 1).log(0);
  new Training(path.join(logdir, "b"), 1).log(0);
  const streamer = await openStreamer(world);
  await streamer.poll();
  await streamer.poll();
  expect(world.told.problems).toEqual(["no (role-too-low)"]);
  expect([...runs.values()].map(({ name }) => name)).toEqual([`${path.basename(logdir)}/b`]);
});

it("lets only one process follow a folder", () => {
  const config = newFolder();
  const state = new StateFolder(config, "server", "/logs");
  writeFileSync(path.join(state.path, "lock"), String(process.ppid));
  expect(() => state.lock()).toThrow(/follows this folder already/);
  // A process that is gone: ids are far below this one.
  writeFileSync(path.join(state.path, "lock"), "4194999");
  state.lock();
  state.unlock();
});

it("tells of a run in which nothing happens that it is still followed, until it is over", async () => {
  const { runs, client } = await startServer();
  const world = { client, logdir: newFolder(), config: newFolder(), told: new Told() };
  new Training(path.join(world.logdir, "a"), 1).log(0);
  const clock = vi.spyOn(Date, "now");
  cleanUps.push(() => clock.mockRestore());
  const start = 1_795_000_000;
  const at = (seconds: number) => clock.mockReturnValue((start + seconds) * 1000);
  at(0);
  const streamer = await openStreamer(world);
  await streamer.poll();
  const [run] = [...runs.values()];
  const numBefore = run?.batches.length ?? 0;
  at(200);
  await streamer.greetIdleRuns();
  expect(run?.batches).toHaveLength(numBefore);
  for (const seconds of [250, 251, 500]) {
    at(seconds);
    await streamer.greetIdleRuns();
  }
  expect(run?.batches.slice(numBefore).map(({ events }) => events)).toEqual(
    Array(2).fill([{ type: "log-lines", lines: [] }]),
  );
  await streamer.endQuietRuns(true);
  at(1000);
  await streamer.greetIdleRuns();
  expect(run?.batches.at(-1)?.events[0]?.type).toBe("run-ended");
});
