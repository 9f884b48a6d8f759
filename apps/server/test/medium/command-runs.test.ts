// Programs of one's own through the whole server: as command runs with a real worker, and as own scripts with files.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { HttpClient } from "@spotter/client";
import {
  controlTraining,
  createRun,
  createUser,
  getRun,
  listAudit,
  listRecipes,
  listRunFiles,
  listRunLogs,
  predictWithRun,
  type Run,
  sendRunEvents,
  signInForToken,
} from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

const script = `
import spotter
spotter.init(config={"lr": 0.5}, total_steps=30)
for step in range(30):
    spotter.log({"train/loss": 1 / (step + 1)}, step=step)
open("note.txt", "w").write("kept")
spotter.log_artifact("note.txt", kind="report")
spotter.checkpoint("note.txt", step=29)
print("done with", *__import__("sys").argv[1:])
`;

let server: TestServer;
let folder: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), "spotter-programs-")));
  mkdirSync(path.join(folder, "jobs"));
  writeFileSync(path.join(folder, "jobs", "train.py"), script);
  server = await startTestServer({ hasWorkers: true, env: { SPOTTER_DATA_ROOTS: folder } });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const start = (config: object) =>
  server.client.call(createRun, { body: { recipe: "command", config: config as never } });
const untilRun = (id: number, fits: (run: Run) => boolean) =>
  waitUntil(() => server.client.call(getRun, { params: { run_id: String(id) } }), fits);
const untilEnded = (id: number) =>
  untilRun(id, (run) => run.ended_at !== null && run.attempts.every((one) => one.exit !== null));
const textsOf = async (id: number) => {
  const { lines } = await server.client.call(listRunLogs, { params: { run_id: String(id) } });
  return lines.map(({ text }) => text);
};

describe("a command run", { timeout: 120_000 }, () => {
  it("runs a script in its folder and keeps its points, files, lines and config", async () => {
    const made = await start({
      command: ["python3", "train.py", "--lr", "3"],
      working_directory: path.join(folder, "jobs"),
    });
    expect(made).toMatchObject({ name: `command-train-${made.id}`, source: "recipe" });
    const run = await untilEnded(made.id);
    expect(run).toMatchObject({ state: "finished", error: null, num_points: expect.any(Number) });
    expect(run.derived).toEqual({ "config.lr": "0.5" });
    expect(run.metrics["train/loss"]).toBeCloseTo(1 / 30);
    expect(run.progress?.total_steps).toBe(30);
    const params = { run_id: String(made.id) };
    const { files } = await server.client.call(listRunFiles, { params });
    expect(files.map(({ kind, path: name }) => [kind, name])).toEqual(
      expect.arrayContaining([
        ["report", "artifacts/note.txt"],
        ["checkpoint", "checkpoints/step-00000029"],
      ]),
    );
    expect(await textsOf(made.id)).toContain("done with --lr 3");
    await expect(
      server.client.call(predictWithRun, { params, body: { test_samples: 1 } }),
    ).rejects.toMatchObject({ code: "run-state-conflict" });
  });

  it("fails with the program's last words", async () => {
    const { id } = await start({ command: ["sh", "-c", "echo 'no GPU here' >&2; exit 4"] });
    const run = await untilEnded(id);
    expect(run.state).toBe("failed");
    expect(run.error).toMatchObject({ kind: "program-failed" });
    expect(run.reason).toContain("exit code 4: no GPU here");
  });

  it("stops when it is asked to", async () => {
    const { id } = await start({ command: ["sleep", "600"] });
    await untilRun(id, ({ state }) => state === "running");
    await server.client.call(controlTraining, { body: { action: "stop", run_id: id } });
    expect(await untilEnded(id)).toMatchObject({ state: "stopped" });
  });

  it("is refused with a folder outside the data folders, our variables, or no command", async () => {
    await expect(start({ command: ["ls"], working_directory: "/etc" })).rejects.toMatchObject({
      code: "path-not-allowed",
    });
    await expect(
      start({ command: ["ls"], environment: { SPOTTER_TOKEN: "x" } }),
    ).rejects.toMatchObject({ code: "config-invalid" });
    await expect(start({ command: [] })).rejects.toMatchObject({ code: "config-invalid" });
    await expect(start({ command: ["ls"], epochs: 3 })).rejects.toMatchObject({
      code: "config-invalid",
    });
  });
});

describe("a server that keeps programs to its administrators, or to nobody", () => {
  const config = { command: ["true", "--fast"] };

  it.each(["admins", "off"])("refuses members (%s)", async (who) => {
    const closed = await startTestServer({ env: { SPOTTER_COMMAND_RUNS: who }, hasWorkers: true });
    try {
      const account = { name: "mem", password: "a long enough password" };
      await closed.client.call(createUser, { body: { ...account, project_id: 1, role: "member" } });
      const { secret } = await closed.client.call(signInForToken, {
        body: { ...account, token_name: "test" },
      });
      const member = new HttpClient({ baseUrl: closed.url, token: secret });
      const wish = { body: { recipe: "command", config } } as const;
      await expect(member.call(createRun, wish)).rejects.toMatchObject({
        code: "command-runs-closed",
      });
      // Whoever looks for what to train is told before the form is filled.
      const closedBy = async (client: HttpClient) =>
        (await client.call(listRecipes, {})).recipes
          .filter(({ closed_by: code }) => code != null)
          .map(({ name, closed_by: code }) => [name, code]);
      const told = [["command", "command-runs-closed"]];
      expect(await closedBy(member)).toEqual(told);
      expect(await closedBy(closed.client)).toEqual(who === "off" ? told : []);
      const byAdmin = closed.client.call(createRun, wish);
      if (who === "off")
        await expect(byAdmin).rejects.toMatchObject({ code: "command-runs-closed" });
      else {
        await byAdmin;
        const { entries } = await closed.client.call(listAudit, { query: { limit: "1" } });
        expect(entries[0]?.details).toMatchObject({ recipe: "command", command: "true --fast" });
      }
    } finally {
      await closed.close();
    }
  });
});

describe("an own script's files", () => {
  const put = (id: number, name: string, body: string, type = "application/octet-stream") =>
    fetch(`${server.url}/api/runs/${id}/uploads?path=${encodeURIComponent(name)}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${server.token}`, "content-type": type },
      body,
    });

  it("are kept with the run, replaced by the same name, and handed out again", async () => {
    const { id } = await server.client.call(createRun, { body: { name: "own" } });
    expect((await put(id, "artifacts/plots/a.txt", "first")).status).toBe(200);
    const answer = (await (await put(id, "artifacts/plots/a.txt", "second")).json()) as {
      sha256: string;
      size: number;
    };
    expect(answer).toMatchObject({ size: 6 });
    const name = "artifacts/plots/a.txt";
    const saved = { type: "file-saved", time: 2e9, kind: "report", path: name } as const;
    await server.client.call(sendRunEvents, {
      params: { run_id: String(id) },
      body: { protocol: 1, attempt: 1, seq: 1, events: [{ ...saved, ...answer }] },
    });
    const { files } = await server.client.call(listRunFiles, { params: { run_id: String(id) } });
    const content = await fetch(`${server.url}/api/runs/${id}/files/${files[0]?.id}/content`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    expect(await content.text()).toBe("second");
  });

  it("may be put many at a time under one name, and under none that has no place", async () => {
    const { id } = await server.client.call(createRun, { body: { name: "own" } });
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, index) => put(id, "artifacts/same.txt", `text ${index}`)),
    );
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    await put(id, "artifacts/folder/a.txt", "a");
    for (const name of ["same.txt/b.txt", "folder", "長".repeat(200)])
      expect((await put(id, `artifacts/${name}`, "b")).status).toBe(400);
  });

  it("do not get out of the run's folder, nor into a trained run", async () => {
    const { id } = await server.client.call(createRun, { body: { name: "own" } });
    for (const name of [
      "../a",
      "artifacts/../../a",
      "artifacts/.hidden",
      "weights/a",
      "artifacts/",
    ])
      expect([name, (await put(id, name, "x")).status]).toEqual([name, 400]);
    expect((await put(id, "artifacts/a", "x", "text/plain")).status).toBe(415);
    const trained = await start({ command: ["true"] });
    expect((await put(trained.id, "artifacts/a", "x")).status).toBe(409);
    await untilEnded(trained.id);
  });
});
