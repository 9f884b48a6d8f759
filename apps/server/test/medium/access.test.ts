// Walks every route of the contract: without a token, with a worker's token, with the wrong role, from the wrong page.

import { HttpClient } from "@spotter/client";
import { createRun, createUser, type Role, sendRunEvents } from "@spotter/contract";
import { beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";
import { everyCall, makeCall } from "../sample-calls.ts";
import { waitUntil } from "../wait-until.ts";

const PASSWORD = "a long enough password";
const POINT = { "secret/score": { step: [1], time: [1_700_000_000], value: [1] } };
const RANK = { viewer: 1, member: 2, admin: 3 } as const;

describe("every route says who may call it", () => {
  let server: TestServer;
  let runId: number;
  let userId: number;
  let things: Things;
  const tokens = new Map<string, string>();

  beforeAll(async () => {
    server = await startTestServer();
    for (const role of ["viewer", "member", "outsider"] as const) {
      const membership = role === "outsider" ? {} : { project_id: 1, role: role as Role };
      const user = await server.client.call(createUser, {
        body: { name: role, password: PASSWORD, ...membership },
      });
      userId = user.id;
      tokens.set(role, await tokenOf(server, role));
    }
    runId = (await server.client.call(createRun, { body: { name: "walked" } })).id;
    things = await insertThings(server, runId);
    return () => server.close();
  });

  const calls = () => everyCall({ runId, projectId: 1, userId, ...things });
  const bearer = (name: string) => ({ authorization: `Bearer ${tokens.get(name)}` });

  it("refuses callers who say nothing about themselves, at all but the public doors", async () => {
    for (const { endpoint, call } of calls()) {
      if (endpoint.access === "public") continue;
      const { status, code } = await makeCall(server.url, endpoint, call);
      expect({ endpoint: endpoint.name, status, code }).toEqual({
        endpoint: endpoint.name,
        status: 401,
        code: endpoint.access === "worker" ? "worker-token-invalid" : "not-signed-in",
      });
    }
  });

  it("refuses a made-up token at every door that asks for one", async () => {
    for (const { endpoint, call } of calls()) {
      if (endpoint.access === "public") continue;
      const { status } = await makeCall(server.url, endpoint, call, {
        authorization: "Bearer spt_made-up",
      });
      expect({ endpoint: endpoint.name, status }).toEqual({ endpoint: endpoint.name, status: 401 });
    }
  });

  it("refuses a person's token at the workers' doors", async () => {
    for (const { endpoint, call } of calls().filter((one) => one.endpoint.access === "worker")) {
      const { status } = await makeCall(server.url, endpoint, call, bearer("member"));
      expect({ endpoint: endpoint.name, status }).toEqual({ endpoint: endpoint.name, status: 401 });
    }
  });

  it.each(["outsider", "viewer", "member"] as const)(
    "refuses %s where a higher role is asked for",
    async (who) => {
      const held = who === "outsider" ? 0 : RANK[who];
      for (const { endpoint, call } of calls()) {
        const needed =
          endpoint.access === "server-admin"
            ? 4
            : endpoint.access.startsWith("project-")
              ? RANK[endpoint.access.slice(8) as Role]
              : 0;
        // Ids that do not exist are "not found" for everybody; nothing is learned from that.
        if (needed <= held || Object.values(call.params ?? {}).includes(999_999)) continue;
        const { status, code } = await makeCall(server.url, endpoint, call, bearer(who));
        expect({ endpoint: endpoint.name, status, code }).toEqual({
          endpoint: endpoint.name,
          status: 403,
          code: "role-too-low",
        });
      }
    },
  );

  it("shows outsiders nothing of a project at the doors that any account may call", async () => {
    const outsider = new HttpClient({ baseUrl: server.url, token: tokens.get("outsider") ?? "" });
    await server.client.call(sendRunEvents, {
      params: { run_id: String(runId) },
      body: { protocol: 1, attempt: 1, seq: 1, events: [{ type: "metric-points", series: POINT }] },
    });
    const namesFor = async (client: HttpClient) =>
      (await json(client, "/api/runs/metric-names")).names as string[];
    await waitUntil(
      () => namesFor(server.client),
      (names) => names.includes("secret/score"),
    );
    expect(await namesFor(outsider)).toEqual([]);
    for (const list of ["", "/rules", "/targets", "/deliveries"]) {
      const answer = await json(outsider, `/api/alerts${list}`);
      expect([list, answer[list === "" ? "alerts" : list.slice(1)]]).toEqual([list, []]);
    }
    const { runs, datasets, queue, folders } = {
      runs: await json(outsider, "/api/runs"),
      datasets: await json(outsider, "/api/datasets"),
      queue: await json(outsider, "/api/train/queue"),
      folders: await json(outsider, "/api/compat/tensorboard"),
    };
    expect([runs.runs, datasets.datasets, queue.running, queue.waiting, folders.folders]).toEqual([
      [],
      [],
      [],
      [],
      [],
    ]);
    for (const path of [
      `/api/metrics/current?run_id=${runId}`,
      `/api/metrics/history?run_id=${runId}`,
      `/api/stream?runs=${runId}`,
      `/api/comparisons/report?runs=${runId}`,
      `/api/comparisons/export?runs=${runId}&format=csv`,
      `/api/stream/metrics?run_id=${runId}`,
    ]) {
      const response = await fetch(`${server.url}${path}`, { headers: bearer("outsider") });
      expect({ path, status: response.status }).toEqual({ path, status: 403 });
      await response.body?.cancel();
    }
  });

  it("refuses pages of other origins and hosts that it does not serve", async () => {
    for (const { endpoint, call } of calls()) {
      const { status, code } = await makeCall(server.url, endpoint, call, {
        ...bearer("member"),
        origin: "https://evil.example",
      });
      expect({ endpoint: endpoint.name, status, code }).toEqual({
        endpoint: endpoint.name,
        status: 403,
        code: "origin-not-allowed",
      });
    }
  });
});

type Things = Required<Omit<Parameters<typeof everyCall>[0], "runId" | "projectId" | "userId">>;

/** A dataset, a model with a version, and a pre-flight, as rows alone: nobody who is refused gets further than these. */
async function insertThings({ database }: TestServer, runId: number): Promise<Things> {
  const insert = async (table: string, row: Record<string, string | number>) => {
    const made = await database.kysely
      .withTables<Record<string, Record<string, string | number>>>()
      .insertInto(table)
      .values(row)
      .returning("id")
      .executeTakeFirstOrThrow();
    return Number(made.id);
  };
  const by = { created_at: 1 };
  const named = { name: "walked", ...by, project_id: 1 };
  const datasetId = await insert("datasets", { ...named, kind: "text" });
  const datasetVersionId = await insert("dataset_versions", {
    ...{ dataset_id: datasetId, ...by, num_files: 0, size: 0, sha256: "0", version: 1 },
    ...{ classes: "{}", skipped: "[]", num_rows: 0, columns: "[]" },
  });
  const modelId = await insert("models", { ...named, name_key: "walked", last_version: 1 });
  const modelVersionId = await insert("model_versions", {
    ...{
      model_id: modelId,
      version: 1,
      run_id: runId,
      run_name: "walked",
      recipe: "vision",
      ...by,
    },
    ...{
      config: "{}",
      metrics: "{}",
      data: '{"source":null,"name":""}',
      weights_path: "weights/w",
    },
    ...{ weights_size: 1, weights_sha256: "0", storage: "missing", classes: "[]", note: "" },
    ...{ tags: "[]", search_text: "", stage: "none" },
  });
  // Numbers of jobs are the queue's to give: this one lies beyond those that it will come to.
  const preflight = { id: 1_000_000_900, kind: "preflight", state: "cancelled" };
  const preflightId = await insert("jobs", { ...named, ...preflight });
  const comparisonId = await insert("comparisons", {
    ...{ ...named, run_ids: `[${runId}]`, value: "last", updated_at: 1 },
  });
  const alertRuleId = await insert("alert_rules", {
    ...{ ...named, enabled: 1, scope: "{}", condition: '{"kind":"state","states":["failed"]}' },
    ...{ cooldown_s: 0, notify_recovered: 1, target_ids: "[]", version: 1, since: 1 },
  });
  const alertTargetId = await insert("alert_targets", {
    ...{ ...named, kind: "webhook", url_hint: "", sealed: "", has_secret: 0 },
    ...{ language: "en", enabled: 1 },
  });
  const alertDeliveryId = await insert("alert_deliveries", {
    ...{ ...by, project_id: 1, delivery_key: "walked", target_id: alertTargetId },
    ...{ target_name: "walked", target_kind: "webhook", event: "alert-test", rule_name: "" },
    ...{ state: "dead", num_tries: 1 },
  });
  return {
    ...{ datasetId, datasetVersionId, modelId, modelVersionId, preflightId },
    ...{ alertRuleId, alertTargetId, alertDeliveryId, comparisonId },
  };
}

async function tokenOf(server: TestServer, name: string): Promise<string> {
  const response = await fetch(`${server.url}/api/auth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password: PASSWORD, token_name: "walk" }),
  });
  return ((await response.json()) as { secret: string }).secret;
}

async function json(client: HttpClient, path: string): Promise<Record<string, unknown>> {
  const response = await client.request({ method: "GET", path }, {});
  return (await response.json()) as Record<string, unknown>;
}
