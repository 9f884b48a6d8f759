// People at the doors: set-up, sign-in and out, registration, tokens, roles, and what the audit log keeps of it.

import { ApiError, HttpClient } from "@spotter/client";
import {
  type ApiToken,
  type AuditEntry,
  changePassword,
  createInvitation,
  createToken,
  createUser,
  getMe,
  getServerFacts,
  listAudit,
  listMembers,
  listProjects,
  listTokens,
  revokeToken,
  setMember,
  updateUser,
} from "@spotter/contract";
import { describe, expect, it, onTestFinished } from "vitest";
import { ADMIN, startTestServer, type TestServer, type TestServerOptions } from "../harness.ts";

const PASSWORD = "a long enough password";

async function open(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** Posts like a browser: answers with status, error code and the session cookie. */
async function post(server: TestServer, path: string, body: unknown, cookie?: string) {
  const response = await fetch(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(cookie === undefined ? {} : { cookie }) },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { error?: { code: string } };
  const setCookie = response.headers.getSetCookie()[0] ?? "";
  return {
    status: response.status,
    code: answer.error?.code,
    setCookie,
    cookie: setCookie.split(";")[0] ?? "",
  };
}

function failure(promise: Promise<unknown>): Promise<{ code: string; status: number }> {
  return promise.then(
    () => {
      throw new Error("it was allowed");
    },
    (error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      return { code: error.code, status: error.status };
    },
  );
}

describe("the administrator's link", () => {
  it("makes one administrator, once, and says so at the public door", async () => {
    const server = await open({ hasAdmin: false });
    const anonymous = new HttpClient({ baseUrl: server.url });
    expect((await anonymous.call(getServerFacts, {})).setup_needed).toBe(true);
    const wrong = await post(server, "/api/auth/setup", { ...ADMIN, setup_token: "spa_guess" });
    expect(wrong).toMatchObject({ status: 401, code: "token-invalid" });
    const body = { ...ADMIN, setup_token: server.setupSecret };
    expect(await post(server, "/api/auth/setup", body)).toMatchObject({ status: 201 });
    expect(await post(server, "/api/auth/setup", body)).toMatchObject({
      status: 409,
      code: "setup-done",
    });
    expect((await anonymous.call(getServerFacts, {})).setup_needed).toBe(false);
  });

  it("lets only one of two callers at the same moment become administrator", async () => {
    const server = await open({ hasAdmin: false });
    const calls = ["ada", "eve"].map((name) =>
      post(server, "/api/auth/setup", {
        name,
        password: PASSWORD,
        setup_token: server.setupSecret,
      }),
    );
    const statuses = (await Promise.all(calls)).map(({ status }) => status).sort();
    expect(statuses[0]).toBe(201);
    expect([401, 409]).toContain(statuses[1]);
  });
});

describe("signing in", () => {
  it("sets a cookie that scripts cannot read, and signing out ends it", async () => {
    const server = await open();
    const { status, setCookie, cookie } = await post(server, "/api/auth/sign-in", ADMIN);
    expect(status).toBe(200);
    expect(setCookie).toMatch(/HttpOnly/);
    expect(setCookie).toMatch(/SameSite=Lax/);
    const me = () => fetch(`${server.url}/api/auth/me`, { headers: { cookie } });
    expect((await me()).status).toBe(200);
    await post(server, "/api/auth/sign-out", {}, cookie);
    expect((await me()).status).toBe(401);
  });

  it("does not tell an unknown name from a wrong password, and writes both down", async () => {
    const server = await open();
    const unknown = await post(server, "/api/auth/sign-in", { name: "nobody", password: PASSWORD });
    const wrong = await post(server, "/api/auth/sign-in", {
      ...ADMIN,
      password: "not the password",
    });
    expect([unknown.status, unknown.code]).toEqual([401, "wrong-credentials"]);
    expect([wrong.status, wrong.code]).toEqual([401, "wrong-credentials"]);
    const { entries } = await server.client.call(listAudit, {
      query: { action: "sign-in-refused" },
    });
    expect(entries.map((entry) => entry.user_name)).toEqual(["ada", "nobody"]);
  });

  it("refuses a forged or tampered cookie", async () => {
    const server = await open();
    const { cookie } = await post(server, "/api/auth/sign-in", ADMIN);
    for (const bad of [`${cookie}x`, "spotter_session=sps_forged", "spotter_session="]) {
      expect((await fetch(`${server.url}/api/auth/me`, { headers: { cookie: bad } })).status).toBe(
        401,
      );
    }
  });

  it("is not undone by another program's cookie of the same name", async () => {
    const server = await open();
    const old = await post(server, "/api/auth/sign-in", ADMIN);
    await post(server, "/api/auth/sign-out", {}, old.cookie);
    const { cookie } = await post(server, "/api/auth/sign-in", ADMIN);
    for (const foreign of ["spotter_session=%E0%A4%A", 'spotter_session="x.y"', old.cookie]) {
      const headers = { cookie: `${foreign}; other=1; ${cookie}` };
      expect((await fetch(`${server.url}/api/auth/me`, { headers })).status).toBe(200);
    }
    const headers = { cookie: `spotter_session=x.y; ${old.cookie}` };
    expect((await fetch(`${server.url}/api/auth/me`, { headers })).status).toBe(401);
  });

  it("is slowed down after twenty tries in a minute from one address", async () => {
    const server = await open();
    const codes = new Set<string | undefined>();
    for (let tries = 0; tries < 22; tries += 1)
      codes.add((await post(server, "/api/auth/sign-in", { name: "x1", password: "y" })).code);
    expect(codes).toEqual(new Set(["wrong-credentials", "too-many-requests"]));
  });
});

describe("registration", () => {
  it("is closed unless the server says otherwise", async () => {
    const server = await open();
    expect(
      await post(server, "/api/auth/register", { name: "eve", password: PASSWORD }),
    ).toMatchObject({ status: 403, code: "registration-closed" });
  });

  it("with an invitation gives the role that was offered, once", async () => {
    const server = await open();
    const { secret } = await server.client.call(createInvitation, {
      body: { project_id: 1, role: "member" },
    });
    const body = { name: "grace", password: PASSWORD, invitation: secret };
    expect((await post(server, "/api/auth/register", body)).status).toBe(201);
    expect(await post(server, "/api/auth/register", { ...body, name: "eve" })).toMatchObject({
      status: 403,
      code: "invitation-invalid",
    });
    const { members } = await server.client.call(listMembers, { params: { project_id: 1 } });
    expect(members.map(({ name, role }) => [name, role])).toEqual([["grace", "member"]]);
  });

  it("with an invitation lets in one of several who come with it at once", async () => {
    const server = await open();
    const { secret } = await server.client.call(createInvitation, {
      body: { project_id: 1, role: "admin" },
    });
    const answers = await Promise.all(
      ["grace", "eve", "mallory"].map((name) =>
        post(server, "/api/auth/register", { name, password: PASSWORD, invitation: secret }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403]);
    const { members } = await server.client.call(listMembers, { params: { project_id: 1 } });
    expect(members).toHaveLength(1);
  });

  it("where it is open makes viewers, and takes no weak password and no taken name", async () => {
    const server = await open({ env: { SPOTTER_REGISTRATION: "open" } });
    expect(
      await post(server, "/api/auth/register", { name: "eve", password: "short" }),
    ).toMatchObject({ code: "password-weak" });
    expect(
      await post(server, "/api/auth/register", { name: "ADA", password: PASSWORD }),
    ).toMatchObject({ status: 409, code: "name-taken" });
    const { cookie } = await post(server, "/api/auth/register", {
      name: "eve",
      password: PASSWORD,
    });
    const me = (await (
      await fetch(`${server.url}/api/auth/me`, { headers: { cookie } })
    ).json()) as { roles: unknown };
    expect(me.roles).toEqual([{ project_id: 1, role: "viewer" }]);
  });
});

describe("API tokens", () => {
  it("work until they are revoked, are kept as hashes, and show their secret once", async () => {
    const server = await open();
    const { token, secret } = await server.client.call(createToken, { body: { name: "laptop" } });
    const holder = new HttpClient({ baseUrl: server.url, token: secret });
    expect((await holder.call(getMe, {})).via).toBe("token");
    const listed: ApiToken[] = (await server.client.call(listTokens, {})).tokens;
    expect(JSON.stringify(listed)).not.toContain(secret);
    expect(secret.startsWith(token.prefix)).toBe(true);
    const stored = await server.database.read<{ secret_hash: string }>(
      "select secret_hash from api_tokens",
    );
    expect(JSON.stringify(stored)).not.toContain(secret);
    await server.client.call(revokeToken, { params: { token_id: token.id } });
    expect(await failure(holder.call(getMe, {}))).toEqual({ code: "token-invalid", status: 401 });
  });

  it("end when their time is over", async () => {
    let now = 1_795_000_000;
    const server = await open({
      clock: { now: () => now } as NonNullable<TestServerOptions["clock"]>,
    });
    const { secret } = await server.client.call(createToken, {
      body: { name: "a day", expires_in_days: 1 },
    });
    const holder = new HttpClient({ baseUrl: server.url, token: secret });
    await holder.call(getMe, {});
    now += 86_401;
    expect(await failure(holder.call(getMe, {}))).toMatchObject({ code: "token-invalid" });
  });
});

describe("roles and accounts", () => {
  it("a changed role counts at once, and a disabled person is out at once", async () => {
    const server = await open();
    const user = await server.client.call(createUser, {
      body: { name: "grace", password: PASSWORD },
    });
    const { cookie } = await post(server, "/api/auth/sign-in", {
      name: "grace",
      password: PASSWORD,
    });
    const projects = async () =>
      (await (
        await fetch(`${server.url}${listProjects.path}`, { headers: { cookie } })
      ).json()) as { projects?: unknown[]; error?: { code: string } };
    expect((await projects()).projects).toEqual([]);
    await server.client.call(setMember, {
      params: { project_id: 1, user_id: user.id },
      body: { role: "viewer" },
    });
    expect((await projects()).projects).toHaveLength(1);
    await server.client.call(updateUser, {
      params: { user_id: user.id },
      body: { disabled: true },
    });
    expect((await projects()).error?.code).toMatch(/not-signed-in|account-disabled/);
  });

  it("the last administrator can neither step down nor be disabled", async () => {
    const server = await open();
    const me = await server.client.call(getMe, {});
    for (const body of [{ is_admin: false }, { disabled: true }]) {
      expect(
        await failure(server.client.call(updateUser, { params: { user_id: me.user.id }, body })),
      ).toEqual({ code: "last-admin", status: 409 });
    }
  });

  it("a changed password says how many tokens live on, and ends all others if wished", async () => {
    const server = await open();
    await server.client.call(createToken, { body: { name: "laptop" } });
    const [first, second] = ["another long password", "a third long password"] as const;
    const kept = await server.client.call(changePassword, {
      body: { current_password: ADMIN.password, new_password: first },
    });
    expect(kept).toEqual({ done: true, revoked_tokens: 0, living_tokens: 2 });
    const ended = await server.client.call(changePassword, {
      body: { current_password: first, new_password: second, revoke_tokens: true },
    });
    // The token that asked for it goes on, as a session would.
    expect(ended).toEqual({ done: true, revoked_tokens: 1, living_tokens: 1 });
    const { entries } = await server.client.call(listAudit, {
      query: { action: "password-changed" },
    });
    expect(entries.map(({ details }) => details)).toEqual([
      { revoked_tokens: 1, living_tokens: 1 },
      { revoked_tokens: 0, living_tokens: 2 },
    ]);
  });

  it("a changed password ends the other sessions and keeps this one", async () => {
    const server = await open();
    const here = await post(server, "/api/auth/sign-in", ADMIN);
    const there = await post(server, "/api/auth/sign-in", ADMIN);
    const body = { current_password: ADMIN.password, new_password: "another long password" };
    expect((await post(server, changePassword.path, body, here.cookie)).status).toBe(200);
    const status = async (cookie: string) =>
      (await fetch(`${server.url}/api/auth/me`, { headers: { cookie } })).status;
    expect([await status(here.cookie), await status(there.cookie)]).toEqual([200, 401]);
  });
});

describe("the audit log", () => {
  it("says who did what from where, newest first, by pages, and never a secret", async () => {
    const server = await open();
    for (const name of ["one", "two", "three"])
      await server.client.call(createToken, { body: { name } });
    const first = await server.client.call(listAudit, {
      query: { action: "token-created", limit: "2" },
    });
    const second = await server.client.call(listAudit, {
      query: { action: "token-created", limit: "2", before: String(first.next_before) },
    });
    const ids = [...first.entries, ...second.entries].map((entry: AuditEntry) => entry.id);
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(first.entries[0]).toMatchObject({
      user_name: ADMIN.name,
      subject_kind: "token",
      address: "127.0.0.1",
    });
    const everything = JSON.stringify((await server.client.call(listAudit, {})).entries);
    expect(everything).not.toMatch(/sp[stia]_|password_hash|argon2/);
    expect(everything).not.toContain(ADMIN.password);
  });
});
