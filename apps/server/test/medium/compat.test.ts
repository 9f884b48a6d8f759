// TensorBoard folders that the server follows: what they become, who may add them, which paths are refused.
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { fetchLastLogs, fetchRun, fetchToken, HttpClient } from "@spotter/client";
import {
  createRun,
  createUser,
  followTensorboardFolder,
  listAudit,
  listTensorboardFolders,
  type TensorboardFolder,
  unfollowTensorboardFolder,
} from "@spotter/contract";
import { EventFileWriter } from "@spotter/tfevents";
import { expect, it, onTestFinished } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

const fixtures = fileURLToPath(new URL("../../../../packages/tfevents/fixtures/", import.meta.url));
const PASSWORD = "a long enough password";

async function open(): Promise<{ server: TestServer; root: string }> {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), "spotter-roots-")));
  const server = await startTestServer({ env: { SPOTTER_DATA_ROOTS: root } });
  onTestFinished(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });
  return { server, root };
}

function follow(client: HttpClient, folder: string): Promise<TensorboardFolder> {
  return client.call(followTensorboardFolder, { body: { path: folder } });
}

async function onlyFolder(server: TestServer): Promise<TensorboardFolder | undefined> {
  return (await server.client.call(listTensorboardFolders, {})).folders[0];
}

async function person(server: TestServer, name: string, role?: "viewer"): Promise<HttpClient> {
  const membership = role === undefined ? {} : { project_id: 1, role };
  await server.client.call(createUser, { body: { name, password: PASSWORD, ...membership } });
  const anonymous = new HttpClient({ baseUrl: server.url });
  const { secret } = await fetchToken(anonymous, { name, password: PASSWORD, token_name: "test" });
  return new HttpClient({ baseUrl: server.url, token: secret });
}

it("takes real files of torch, TensorFlow and tensorboardX, and ends runs that are long over", async () => {
  const { server, root } = await open();
  for (const name of ["torch-hparams", "torch-purge", "torch-mixed", "tensorboardx-simple"])
    cpSync(path.join(fixtures, name), path.join(root, name), { recursive: true });
  await follow(server.client, root);
  const folder = await waitUntil(
    () => onlyFolder(server),
    (found) => found?.runs.length === 5,
  );
  const idOf = (name: string) => folder?.runs.find((run) => run.folder === name)?.run_id ?? 0;
  await waitUntil(
    () => Promise.all((folder?.runs ?? []).map(({ run_id }) => fetchRun(server.client, run_id))),
    (runs) => runs.every(({ state }) => state === "finished"),
  );
  const hparams = await fetchRun(server.client, idOf("torch-hparams/trial"));
  expect(hparams).toMatchObject({ source: "tensorboard", owner_name: "ada" });
  expect(Object.keys(hparams.config).length).toBeGreaterThan(0);
  const purged = await fetchRun(server.client, idOf("torch-purge"));
  expect(purged.attempts.length).toBe(2);
  expect(purged.attempts[1]?.first_step).toBeGreaterThan(0);
  expect(Object.keys((await onlyFolder(server))?.skipped ?? {}).length).toBeGreaterThan(0);
  const lines = await fetchLastLogs(server.client, idOf("torch-mixed"));
  expect(lines.map(({ text }) => text).join()).toContain("not stored yet");
});

it("is for members; others neither add nor see nor remove folders", async () => {
  const { server, root } = await open();
  const viewer = await person(server, "vera", "viewer");
  const outsider = await person(server, "otto");
  await expect(follow(viewer, root)).rejects.toMatchObject({ code: "role-too-low" });
  await expect(follow(outsider, root)).rejects.toMatchObject({ code: "role-too-low" });
  const { id } = await follow(server.client, root);
  expect((await viewer.call(listTensorboardFolders, {})).folders).toHaveLength(1);
  expect((await outsider.call(listTensorboardFolders, {})).folders).toHaveLength(0);
  const remove = (client: HttpClient, folderId: number) =>
    client.call(unfollowTensorboardFolder, { params: { folder_id: folderId } });
  await expect(remove(viewer, id)).rejects.toMatchObject({ code: "role-too-low" });
  await expect(remove(server.client, 999)).rejects.toMatchObject({ code: "folder-not-found" });
  expect(await remove(server.client, id)).toEqual({ done: true });
  const { entries } = await server.client.call(listAudit, { query: { limit: "10" } });
  expect(entries.map(({ action }) => action)).toEqual(
    expect.arrayContaining(["tensorboard-folder-followed", "tensorboard-folder-unfollowed"]),
  );
});

it("refuses a folder that a command line on this machine streams", async () => {
  const { server, root } = await open();
  mkdirSync(path.join(root, "logs"));
  const origin = { host: hostname(), logdir: path.join(root, "logs"), folder: "." };
  const run = await server.client.call(createRun, {
    body: { source: "tensorboard", config: { tensorboard: origin } },
  });
  await expect(follow(server.client, origin.logdir)).rejects.toMatchObject({
    code: "folder-taken",
    details: { run_id: run.id },
  });
  await expect(follow(server.client, root)).rejects.toMatchObject({ code: "folder-taken" });
  mkdirSync(path.join(root, "other"));
  expect((await follow(server.client, path.join(root, "other"))).state).toBe("following");
});

it("refuses what lies outside the roots, by whatever path, and files", async () => {
  const { server, root } = await open();
  symlinkSync(tmpdir(), path.join(root, "out"));
  writeFileSync(path.join(root, "file"), "");
  mkdirSync(path.join(root, "in"));
  const refusals = [
    ["/", "path-not-allowed"],
    [path.join(root, "..", "other"), "path-not-allowed"],
    [path.join(root, "out"), "path-not-allowed"],
    [path.join(root, "nowhere"), "path-not-found"],
    [path.join(root, "file"), "path-not-found"],
    ["in\u0000", "path-not-found"],
  ];
  for (const [folder = "", code] of refusals)
    await expect(follow(server.client, folder), folder).rejects.toMatchObject({ code });
  expect((await follow(server.client, "in")).path).toBe(path.join(root, "in"));
  await expect(follow(server.client, path.join(root, "in"))).rejects.toMatchObject({
    code: "folder-taken",
  });
});

it("says when a folder is gone or was replaced by a link, and goes on when it is back", async () => {
  const { server, root } = await open();
  const logdir = path.join(root, "logs");
  mkdirSync(logdir);
  const writer = new EventFileWriter();
  const file = path.join(logdir, "events.out.tfevents.1.host.1.0");
  const log = (target: string, step: number) =>
    appendFileSync(
      target,
      writer.scalars({ step, wallTime: Date.now() / 1000, values: { loss: step } }),
    );
  writeFileSync(file, writer.fileVersion(1));
  log(file, 1);
  await follow(server.client, logdir);
  const untilState = (state: string) =>
    waitUntil(
      () => onlyFolder(server),
      (found) => found?.state === state,
    );
  await waitUntil(
    () => onlyFolder(server),
    (found) => found?.runs.length === 1,
  );

  renameSync(logdir, path.join(root, "away"));
  await untilState("missing");
  symlinkSync(path.join(root, "away"), logdir);
  await untilState("failed");
  rmSync(logdir);
  renameSync(path.join(root, "away"), logdir);
  log(file, 2);
  await untilState("following");
  const [run] = (await onlyFolder(server))?.runs ?? [];
  await waitUntil(
    () => fetchRun(server.client, run?.run_id ?? 0),
    (found) => found.num_points === 2,
  );
});
