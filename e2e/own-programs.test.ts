// Programs of one's own against a real server: the package's example by itself and as a command run of the CLI.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fetchRun } from "@spotter/client";
import { listRunFiles } from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { House } from "./harness/house.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const environment = path.join(root, ".venv/bin/python");
const python = existsSync(environment) ? environment : "python3";
const run = promisify(execFile);

let house: House;
let folder: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "spotter-own-programs-")));
  house = await House.open({ env: { SPOTTER_DATA_ROOTS: path.join(root, "examples") } });
});
afterAll(async () => {
  await house.close();
  rmSync(folder, { recursive: true, force: true });
});

const filesOf = async (id: number) => {
  const { files } = await house.client.call(listRunFiles, { params: { run_id: String(id) } });
  return files.map((file) => `${file.kind} ${file.path}`);
};

describe("examples/python/own_training.py", () => {
  it("by itself becomes a run with its points, config and files", async () => {
    const file = path.join(root, "examples/python/own_training.py");
    const { stderr } = await run(python, [file, "--steps", "40"], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        PYTHONPATH: path.join(root, "sdk/src"),
        SPOTTER_URL: house.url,
        SPOTTER_TOKEN: house.token,
      },
    });
    const id = Number(/run (\d+): /.exec(stderr)?.[1]);
    const stored = await fetchRun(house.client, id);
    expect(stored).toMatchObject({ state: "finished", source: "script", num_points: 42 });
    expect(stored.config).toMatchObject({ steps: 40, lr: 0.5 });
    expect(await filesOf(id)).toEqual(["weights artifacts/weights.json"]);
  });

  it("is started and watched from the command line as a command run", async () => {
    const { stdout } = await run(
      process.execPath,
      [
        path.join(root, "dist/cli/spotter.js"),
        ...["run", "--watch", "--env", "MODE=quick", "--minutes", "5"],
        ...["--", "python3", "own_training.py", "--steps", "120"],
      ],
      {
        cwd: path.join(root, "examples/python"),
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          SPOTTER_URL: house.url,
          SPOTTER_TOKEN: house.token,
        },
      },
    );
    const id = Number(/Run (\d+) /.exec(stdout)?.[1]);
    const stored = await fetchRun(house.client, id);
    expect(stored).toMatchObject({ state: "finished", recipe: "command" });
    expect(stored.name).toBe(`command-own_training-${id}`);
    expect(stored.derived).toMatchObject({ "config.steps": "120" });
    expect(stored.metrics["val/accuracy"]).toBeGreaterThan(0.8);
    expect(await filesOf(id)).toEqual(
      expect.arrayContaining([
        "checkpoint checkpoints/step-00000099",
        "weights artifacts/weights.json",
      ]),
    );
  });
});
