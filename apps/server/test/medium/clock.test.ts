// Time in the tests' hand: what happens after days, and what must not happen when the clock is set back or forward.
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { createRun, deleteRun, getMe, getRun, listAudit, sendRunEvents } from "@spotter/contract";
import { describe, expect, it, onTestFinished } from "vitest";
import { buildApp } from "../../src/app.ts";
import { Log } from "../../src/platform/log.ts";
import { ADMIN, startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

const START = 1_795_000_000;
const DAY_S = 86_400;

async function open() {
  const time = { now: START };
  const server = await startTestServer({ clock: { now: () => time.now } });
  onTestFinished(() => server.close());
  return { server, time };
}

function sendPoint(server: TestServer, runId: number, seq: number, extra: object[] = []) {
  const series = { loss: { step: [seq], time: [seq], value: [seq] } };
  return server.client.call(sendRunEvents, {
    params: { run_id: String(runId) },
    body: {
      ...{ protocol: 1, attempt: 1, seq },
      events: [{ type: "metric-points", series }, ...extra] as never,
    },
  });
}

/** What a server does that starts at this time on the same data. */
async function startAnother(server: TestServer, now: number): Promise<void> {
  const app = await buildApp({
    ...{ settings: server.settings, database: server.database, clock: { now: () => now } },
    log: new Log({ level: "silent", format: "json", write: () => undefined }),
    cookieKey: "0".repeat(64),
    places: {
      ...{ web: null, workerSources: [], apiReference: "" },
      pythonEnvironment: path.join(server.home, "none"),
    },
  });
  app.start();
  await app.close();
}

describe("a deleted run", () => {
  it("is there for seven days, and then gone with its points and its folder", async () => {
    const { server } = await open();
    const kept = await server.client.call(createRun, { body: { name: "kept" } });
    const { id } = await server.client.call(createRun, { body: { name: "deleted" } });
    await sendPoint(server, kept.id, 1);
    await sendPoint(server, id, 1, [{ type: "run-ended", time: START, state: "finished" }]);
    const folder = path.join(server.home, "runs", String(id));
    mkdirSync(folder, { recursive: true });
    const params = { run_id: String(id) };
    await server.client.call(deleteRun, { params });
    const withPoints = async () =>
      (
        await server.database.read<{ run_id: number }>(
          "select run_id from metric_streams where run_id > 0 order by run_id",
        )
      ).map(({ run_id }) => run_id);

    await startAnother(server, START + 7 * DAY_S - 60);
    expect((await server.client.call(getRun, { params })).num_points).toBe(1);
    expect(existsSync(folder)).toBe(true);

    await startAnother(server, START + 7 * DAY_S + 60);
    await expect(server.client.call(getRun, { params })).rejects.toMatchObject({
      code: "run-not-found",
    });
    await waitUntil(withPoints, (ids) => ids.length === 1);
    expect(await withPoints()).toEqual([kept.id]);
    expect(existsSync(folder)).toBe(false);
  });
});

describe("a clock that is set", () => {
  it.each([3600, -3600])("%d s away signs nobody out and stops no run", async (jump) => {
    const { server, time } = await open();
    const signIn = () =>
      fetch(`${server.url}/api/auth/sign-in`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(ADMIN),
      });
    const cookie = ((await signIn()).headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
    const { id } = await server.client.call(createRun, { body: { name: "through the jump" } });
    await sendPoint(server, id, 1);
    time.now += jump;
    await sendPoint(server, id, 2);
    // Whatever a server looks at when it starts is by the new time too.
    await startAnother(server, time.now);
    const run = await server.client.call(getRun, { params: { run_id: String(id) } });
    expect(run).toMatchObject({ state: "running", num_points: 2 });
    expect((await server.client.call(getMe, {})).user.name).toBe(ADMIN.name);
    expect((await fetch(`${server.url}/api/auth/me`, { headers: { cookie } })).status).toBe(200);
    expect((await signIn()).status).toBe(200);
    const { entries } = await server.client.call(listAudit, { query: { action: "signed-in" } });
    expect(entries.map((entry) => entry.time)).toEqual([START + jump, START]);
  });
});
