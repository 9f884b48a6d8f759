// Runs every file of examples/ as its first lines say, against a real server.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fetchRun, fetchRuns } from "@spotter/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

const folder = fileURLToPath(new URL("../examples/", import.meta.url));
const environment = fileURLToPath(new URL("../.venv/bin/python", import.meta.url));
const python = existsSync(environment) ? environment : "python3";

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

function start(file: string, ...args: string[]) {
  const program = file.endsWith(".py") ? python : file.endsWith(".sh") ? "sh" : process.execPath;
  const child = spawn(program, [folder + file, ...args], {
    env: {
      PATH: process.env.PATH ?? "",
      SPOTTER_URL: house.url,
      SPOTTER_TOKEN: house.token,
    },
  });
  const example = { output: "", child, ended: once(child, "close") };
  const keep = (chunk: Buffer) => {
    example.output += chunk.toString();
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  return example;
}

async function run(file: string, ...args: string[]): Promise<string> {
  const example = start(file, ...args);
  await example.ended;
  expect([file, example.child.exitCode, example.output]).toEqual([file, 0, example.output]);
  return example.output;
}

const loggers = ["python/log_from_script.py", "javascript/log-from-script.mjs"];
const followers = ["python/follow_sse.py", "javascript/follow-sse.mjs", "curl/follow-sse.sh"];
const sockets = ["python/follow_websocket.py", "javascript/follow-websocket.mjs"];

describe("logging from one's own script", () => {
  it.each(loggers)("%s stores every point and ends the run", async (file) => {
    const output = await run(file);
    const id = Number(/^run (\d+) /m.exec(output)?.[1]);
    const stored = await fetchRun(house.client, id);
    expect(stored).toMatchObject({ state: "finished", source: "script", num_series: 2 });
    expect(stored.num_points).toBe(400);
    expect(stored.config).toEqual({ steps: 200 });
  });

  it("curl/log-from-script.sh does the same from a shell", async () => {
    const output = await run("curl/log-from-script.sh");
    const id = Number(/^run (\d+) /m.exec(output)?.[1]);
    expect(await fetchRun(house.client, id)).toMatchObject({ state: "finished", num_points: 2 });
  });
});

describe("reading", () => {
  it("the REST clients list runs, names and every point", async () => {
    const [newest] = (await fetchRuns(house.client, { q: "sine" })).runs;
    const id = String(newest?.id);
    for (const file of ["python/rest.py", "javascript/rest.mjs"]) {
      expect(await run(file)).toContain(`${id} finished sine`);
      expect(await run(file, id)).toMatch(/^loss /m);
      expect((await run(file, id, "loss")).trim().split("\n")).toHaveLength(200);
      const unknown = start(file, "999999");
      await unknown.ended;
      expect(unknown.child.exitCode).toBe(1);
      expect(unknown.output).toContain("run-not-found");
    }
    const csv = await run("curl/rest.sh", id, "loss");
    expect(csv.trim().split("\n").length).toBeGreaterThan(200);
  });
});

describe("following live", () => {
  it("every client shows a training's updates until it ends", async () => {
    const training = await house.train({ epochs: 4, width: 4, batch_size: 128 });
    const id = String(training.id);
    const examples = [...followers, ...sockets].map((file) => ({ file, example: start(file, id) }));
    await house.untilState(training.id, "finished");
    for (const { file, example } of examples) {
      const pattern = file.startsWith("curl") ? /"train_loss":0\.\d|"train_loss":[1-9]/ : /loss \d/;
      await until(`${file} shows a loss`, () => pattern.test(example.output));
      if (sockets.includes(file)) await example.ended;
      else example.child.kill();
      await example.ended;
    }
  });
});
