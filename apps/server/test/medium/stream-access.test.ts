// Whoever may not look any more loses the stream at once, and nobody else does.
import {
  changePassword,
  createRun,
  createUser,
  openStream,
  removeMember,
  setMember,
} from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN, startTestServer, type TestServer } from "../harness.ts";

const PASSWORD = "a long enough password";
let server: TestServer;
let runId: number;
beforeAll(async () => {
  server = await startTestServer();
  runId = (await server.client.call(createRun, { body: { name: "watched" } })).id;
});
afterAll(() => server.close());

async function signIn(name: string, password: string): Promise<string> {
  const response = await post("/api/auth/sign-in", { name, password });
  expect(response.status).toBe(200);
  return (response.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
}

function post(path: string, body: unknown, cookie = ""): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", cookie },
    body: JSON.stringify(body),
  });
}

/** Open already; `ended` resolves with all that came when the server ends it. */
async function watch(cookie: string): Promise<{ ended: Promise<string>; isOpen: () => boolean }> {
  const response = await fetch(`${server.url}${openStream.path}?runs=${runId}`, {
    headers: { cookie },
  });
  expect(response.status).toBe(200);
  let isOpen = true;
  const ended = response.text().finally(() => {
    isOpen = false;
  });
  return { ended, isOpen: () => isOpen };
}

async function newViewer(name: string): Promise<{ id: number; cookie: string }> {
  const { id } = await server.client.call(createUser, {
    body: { name, password: PASSWORD, project_id: 1, role: "viewer" },
  });
  return { id, cookie: await signIn(name, PASSWORD) };
}

// Well below the heartbeat of 15 s, which would find it too.
describe("a live stream", { timeout: 10_000 }, () => {
  it("ends with the session that opened it, and others go on", async () => {
    const [here, there] = [await newViewer("grace"), await newViewer("alan")];
    const [gone, stays] = [await watch(here.cookie), await watch(there.cookie)];
    await post("/api/auth/sign-out", {}, here.cookie);
    expect(await gone.ended).toMatch(/"type":"stream-closing","reason":"signed-out"/);
    expect(stays.isOpen()).toBe(true);
    await post("/api/auth/sign-out", {}, there.cookie);
    await stays.ended;
  });

  it("ends when the role is taken away, not when it is raised", async () => {
    const { id, cookie } = await newViewer("edsger");
    const { ended, isOpen } = await watch(cookie);
    const params = { project_id: 1, user_id: id };
    await server.client.call(setMember, { params, body: { role: "member" } });
    expect(isOpen()).toBe(true);
    await server.client.call(removeMember, { params });
    expect(await ended).toMatch(/"reason":"signed-out"/);
  });

  it("of another session ends when the password is changed", async () => {
    const [mine, other] = [
      await signIn(ADMIN.name, ADMIN.password),
      await signIn(ADMIN.name, ADMIN.password),
    ];
    const [stays, gone] = [await watch(mine), await watch(other)];
    const body = { current_password: ADMIN.password, new_password: "another long password" };
    expect((await post(changePassword.path, body, mine)).status).toBe(200);
    expect(await gone.ended).toMatch(/"reason":"signed-out"/);
    expect(stays.isOpen()).toBe(true);
    await post("/api/auth/sign-out", {}, mine);
    await stays.ended;
  });
});
