// Alert rules and their deliveries: fired by real batches, received by a real HTTP server.
import { createHmac } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { followRuns } from "@spotter/client";
import {
  type AlertCondition,
  AlertNotice,
  type AlertTargetKind,
  createAlertRule,
  createAlertTarget,
  createRun,
  deleteAlertTarget,
  listAlertDeliveries,
  listAlertRules,
  listAlerts,
  listAlertTargets,
  listAudit,
  markAlertsRead,
  sendAlertDelivery,
  sendRunEvents,
  testAlertTarget,
  updateAlertRule,
  updateRun,
} from "@spotter/contract";
import { describe, expect, it, onTestFinished } from "vitest";
import { MAX_TRIES } from "../../src/domains/alerts/courier.ts";
import { startFakeTraining } from "../fake-training.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { openReceiver, type Received, type Receiver } from "../receiver.ts";
import { waitUntil } from "../wait-until.ts";

const ALLOW = { SPOTTER_ALERT_PRIVATE_TARGETS: "allow" };
const ANY_NAN: AlertCondition = { kind: "non-finite", metric: null, points: 1 };

interface Opened {
  readonly server: TestServer;
  /** The server's clock runs ahead by so many seconds. */
  readonly ahead: { seconds: number };
}

async function open(env: Record<string, string> = ALLOW): Promise<Opened> {
  const ahead = { seconds: 0 };
  const clock = { now: () => Date.now() / 1000 + ahead.seconds };
  const server = await startTestServer({ env, clock });
  onTestFinished(() => server.close());
  return { server, ahead };
}

/** An own script's run that tells one value after the other. */
async function openRun(server: TestServer, body: { name?: string; tags?: string[] } = {}) {
  const { id } = await server.client.call(createRun, { body });
  let seq = 0;
  const send = (events: object[]) => {
    seq += 1;
    return server.client.call(sendRunEvents, {
      params: { run_id: String(id) },
      body: { protocol: 1, attempt: 1, seq, events: events as never },
    });
  };
  const tell = async (metric: string, ...values: (number | "NaN" | "Infinity")[]) => {
    for (const value of values)
      await send([
        {
          type: "metric-points",
          series: { [metric]: { step: [seq], time: [Date.now() / 1000], value: [value] } },
        },
      ]);
  };
  return { id, send, tell };
}

const alertsOf = async (server: TestServer) => (await server.client.call(listAlerts, {})).alerts;
const untilAlerts = (server: TestServer, numOpen: number, numAll = numOpen) =>
  waitUntil(
    () => alertsOf(server),
    (alerts) =>
      alerts.length === numAll &&
      alerts.filter(({ recovered_at }) => recovered_at === null).length === numOpen,
  );
const deliveriesOf = async (server: TestServer) =>
  (await server.client.call(listAlertDeliveries, {})).deliveries;
const untilReceived = (receiver: Receiver, num: number) =>
  waitUntil(
    () => receiver.received,
    (received) => received.length >= num,
  );

async function addRule(
  server: TestServer,
  condition: AlertCondition,
  wish: { target_ids?: number[]; scope?: object; cooldown_s?: number } = {},
) {
  const body = { name: "watch", condition, cooldown_s: 0, ...wish } as never;
  return server.client.call(createAlertRule, { body });
}

async function addTarget(
  server: TestServer,
  url: string,
  kind: AlertTargetKind = "webhook",
  secret?: string,
) {
  const body = { name: kind, kind, url, ...(secret === undefined ? {} : { secret }) };
  return server.client.call(createAlertTarget, { body });
}

function isSigned({ headers, body }: Received, secret: string): boolean {
  const timestamp = headers["x-spotter-timestamp"];
  const expected = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return headers["x-spotter-signature"] === `v1=${expected}`;
}

describe("rules on points", () => {
  it("fire once while a metric is out of bounds, recover, and fire again", async () => {
    const { server } = await open();
    const receiver = await openReceiver();
    const target = await addTarget(server, `${receiver.url}/hook`);
    const condition = {
      ...{ kind: "metric" as const, metric: "train/loss", comparison: "above" as const },
      ...{ value: 5, points: 2, recover_value: 4 },
    };
    await addRule(server, condition, { target_ids: [target.id] });
    const run = await openRun(server, { name: "wavers" });
    await run.tell("train/loss", 1, 6, 7, 8, 9);
    const [alert] = await untilAlerts(server, 1);
    expect(alert).toMatchObject({
      ...{ run_id: run.id, run_name: "wavers", metric: "train/loss", value: 7, step: 2 },
      sentence: "train/loss is 7, above 5 for 2 points in a row (step 2).",
    });
    // Between the two values it neither fires nor recovers.
    await run.tell("train/loss", 4.5, 4.5, 6, 6, 4.5, 3, 3);
    await untilAlerts(server, 0, 1);
    await run.tell("train/loss", 6, 6);
    await untilAlerts(server, 1, 2);
    const events = (await untilReceived(receiver, 3)).map(
      ({ body }) => AlertNotice.parse(JSON.parse(body)).event,
    );
    expect(events.sort()).toEqual(["alert-fired", "alert-fired", "alert-recovered"]);
    const [rule] = (await server.client.call(listAlertRules, {})).rules;
    expect(rule).toMatchObject({ num_open: 1, last_fired_at: expect.any(Number) });
  });

  it("tell NaN from a number, and reach the page live and unread", async () => {
    const { server } = await open();
    await addRule(server, ANY_NAN);
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const heard = followRuns(server.client, { topics: ["alerts"], signal: abort.signal });
    const first = (async () => {
      for await (const { event } of heard) if (event.type === "alert-changed") return event;
      return undefined;
    })();
    await waitUntil(
      () => server.app.openStreams(),
      (num) => num === 1,
    );
    const run = await openRun(server);
    await run.tell("train/loss", 1, 2);
    await run.tell("val/loss", "NaN");
    expect(await first).toMatchObject({
      alert: { run_id: run.id, metric: "val/loss", value: "NaN", recovered_at: null },
    });
    const page = await server.client.call(listAlerts, {});
    expect(page.num_unread).toBe(1);
    await server.client.call(markAlertsRead, { body: { up_to: page.alerts[0]?.id ?? 0 } });
    expect((await server.client.call(listAlerts, {})).num_unread).toBe(0);
  });

  it("watch the runs of their scope only, also when a run is tagged later", async () => {
    const { server } = await open();
    await addRule(server, ANY_NAN, { scope: { run_id: null, name_contains: "big", tag: "gpu" } });
    const other = await openRun(server, { name: "small", tags: ["gpu"] });
    const late = await openRun(server, { name: "BIG one" });
    await other.tell("loss", "NaN");
    await late.tell("loss", "NaN", 1);
    await server.client.call(updateRun, {
      params: { run_id: String(late.id) },
      body: { tags: ["gpu"] },
    });
    await waitUntil(
      async () => {
        await late.tell("loss", "NaN", 1);
        return (await alertsOf(server)).length;
      },
      (num) => num > 0,
    );
    expect(new Set((await alertsOf(server)).map(({ run_id }) => run_id))).toEqual(
      new Set([late.id]),
    );
  });

  it("do not judge points of before they were made, and begin anew when they change", async () => {
    const { server } = await open();
    const run = await openRun(server);
    await run.tell("loss", "NaN", "NaN");
    const rule = await addRule(server, ANY_NAN);
    await run.tell("loss", 1);
    expect(await alertsOf(server)).toEqual([]);
    await run.tell("loss", "NaN");
    await untilAlerts(server, 1);
    const condition = { ...ANY_NAN, points: 2 };
    await server.client.call(updateAlertRule, {
      params: { rule_id: String(rule.id) },
      body: { condition },
    });
    await untilAlerts(server, 0, 1);
    await run.tell("loss", "NaN", "NaN");
    await untilAlerts(server, 1, 2);
  });

  it("keep quiet while they cool down, and speak up after it", async () => {
    const { server, ahead } = await open();
    await addRule(server, ANY_NAN, { cooldown_s: 3_600 });
    const run = await openRun(server);
    await run.tell("loss", "NaN", 1);
    await untilAlerts(server, 0, 1);
    await run.tell("loss", "NaN", 1, "NaN");
    // A rule without cool-down says when those points have been looked at.
    await addRule(server, { ...ANY_NAN, metric: "marker" });
    await run.tell("marker", "NaN");
    await untilAlerts(server, 1, 2);
    ahead.seconds = 4_000;
    await run.tell("loss", "NaN");
    await untilAlerts(server, 2, 3);
  });
});

describe("a restart", () => {
  it("forgets neither what a rule has counted nor what is open", async () => {
    const { server } = await open();
    await addRule(server, { ...ANY_NAN, points: 3 });
    const run = await openRun(server);
    await run.tell("loss", 1, "NaN", "NaN");
    await server.restart();
    expect(await alertsOf(server)).toEqual([]);
    await run.tell("loss", "NaN");
    await untilAlerts(server, 1);
    await server.restart();
    await run.tell("loss", "NaN", 1, 1, 1);
    await untilAlerts(server, 0, 1);
  });

  it("finds points that were committed but not looked at", async () => {
    const { server } = await open();
    await addRule(server, ANY_NAN);
    const run = await openRun(server);
    await run.tell("loss", 1);
    await server.restart();
    await run.tell("loss", 1, "NaN", 1);
    await untilAlerts(server, 0, 1);
    // As if the server had been killed before it wrote anything down.
    await server.app.close();
    const tables = server.database.kysely.withTables<Record<string, Record<string, unknown>>>();
    await tables.deleteFrom("alerts").execute();
    await tables
      .updateTable("alert_progress")
      .set({ commit_no: 1, tallies: "{}", is_done: 0 })
      .execute();
    await server.restart();
    await untilAlerts(server, 0, 1);
  });

  it("between firing and delivery loses nothing: what waits is sent by the next server", async () => {
    const { server, ahead } = await open();
    const receiver = await openReceiver();
    receiver.answers.push({ status: 503, text: "not now" });
    const target = await addTarget(server, `${receiver.url}/hook`);
    await addRule(server, ANY_NAN, { target_ids: [target.id] });
    const run = await openRun(server);
    await run.tell("loss", "NaN");
    await waitUntil(
      () => deliveriesOf(server),
      ([delivery]) => delivery?.num_tries === 1,
    );
    await server.restart();
    ahead.seconds = 60;
    const [first, second] = await untilReceived(receiver, 2);
    expect(second?.headers["x-spotter-delivery"]).toBe(first?.headers["x-spotter-delivery"]);
    await waitUntil(
      () => deliveriesOf(server),
      ([delivery]) => delivery?.state === "delivered" && delivery.num_tries === 2,
    );
  });
});

describe("rules on states and silence", () => {
  it("fire when a run enters a state, and recover when it leaves it", async () => {
    const { server } = await open();
    const started = await addRule(server, { kind: "state", states: ["running"] });
    await addRule(server, { kind: "state", states: ["failed", "finished"] });
    const training = await startFakeTraining(server);
    await training.send([{ type: "run-started", time: 1 }]);
    const before = await untilAlerts(server, 1);
    expect(before[0]).toMatchObject({ rule_id: started.id, state: "running" });
    await training.finish({ state: "failed" });
    const [alert] = await untilAlerts(server, 1, 2);
    expect(alert).toMatchObject({
      ...{ run_id: training.id, state: "failed", metric: null },
      sentence: "The run has failed.",
    });
  });

  it("hear of what happened while the outbox waited", async () => {
    const { server } = await open();
    await addRule(server, { kind: "state", states: ["stopped"] });
    const run = await openRun(server);
    await run.send([{ type: "run-ended", time: Date.now() / 1000, state: "stopped" }]);
    await server.restart();
    await untilAlerts(server, 1);
  });

  it("fire when a running run falls silent, and recover with its next word", async () => {
    const { server, ahead } = await open();
    await addRule(server, { kind: "silence", seconds: 600 });
    const run = await openRun(server);
    await run.tell("loss", 1);
    ahead.seconds = 500;
    await run.tell("loss", 1);
    ahead.seconds = 900;
    // A second run says when silence has been looked for.
    const marker = await addRule(server, { kind: "silence", seconds: 100 });
    ahead.seconds = 1_005;
    const [alert] = await untilAlerts(server, 1);
    expect(alert).toMatchObject({ run_id: run.id, rule_id: marker.id });
    ahead.seconds = 1_200;
    await untilAlerts(server, 2);
    await run.tell("loss", 1);
    await untilAlerts(server, 0, 2);
  });

  it("do not take the server's own absence for a run's silence", async () => {
    const { server, ahead } = await open();
    const run = await openRun(server);
    await run.tell("loss", 1);
    await addRule(server, { kind: "silence", seconds: 600 });
    ahead.seconds = 5_000;
    await server.restart();
    ahead.seconds = 5_300;
    await addRule(server, { kind: "silence", seconds: 5 });
    ahead.seconds = 5_310;
    const [alert] = await untilAlerts(server, 1);
    expect(alert?.condition).toEqual({ kind: "silence", seconds: 5 });
    ahead.seconds = 5_700;
    await untilAlerts(server, 2);
  });
});

describe("deliveries", () => {
  it("are signed, tried again after an error and after silence, and keep their id", async () => {
    const { server } = await open();
    const receiver = await openReceiver();
    receiver.answers.push({ status: 500, text: "no luck" }, "silent");
    const target = await addTarget(server, `${receiver.url}/hook`);
    await addRule(server, ANY_NAN, { target_ids: [target.id] });
    const run = await openRun(server);
    await run.tell("loss", "NaN");
    const received = await untilReceived(receiver, 3);
    expect(new Set(received.map(({ headers }) => headers["x-spotter-delivery"])).size).toBe(1);
    for (const each of received) {
      expect(isSigned(each, target.secret ?? "")).toBe(true);
      expect(isSigned({ ...each, body: `${each.body} ` }, target.secret ?? "")).toBe(false);
    }
    const notice = AlertNotice.parse(JSON.parse(received[2]?.body ?? ""));
    expect(notice.run?.url).toBe(`${server.url}/runs/${run.id}/charts`);
    const [delivery] = await waitUntil(
      () => deliveriesOf(server),
      ([each]) => each?.state === "delivered",
    );
    expect(delivery).toMatchObject({ num_tries: 3, last_status: 200, last_answer: "ok" });
  });

  it("do not wait for hours when the clock was set back by hours", async () => {
    const { server, ahead } = await open();
    const receiver = await openReceiver();
    const noLuck = { status: 500, text: "no luck" };
    receiver.answers.push(noLuck, noLuck);
    const target = await addTarget(server, `${receiver.url}/hook`);
    await addRule(server, ANY_NAN, { target_ids: [target.id] });
    const run = await openRun(server);
    await run.tell("loss", "NaN");
    await waitUntil(
      () => deliveriesOf(server),
      ([each]) => each?.num_tries === 2,
    );
    ahead.seconds = -7_200;
    await untilReceived(receiver, 3);
  });

  it("pass the check that the guide tells receivers to make", async () => {
    const { server } = await open();
    const receiver = await openReceiver();
    const target = await addTarget(server, `${receiver.url}/hook`);
    await server.client.call(testAlertTarget, { params: { target_id: String(target.id) } });
    const guide = readFileSync(
      path.resolve(import.meta.dirname, "../../../../docs/guides/alerts.md"),
      "utf8",
    );
    const snippet = /```js\n([\s\S]*?)```/.exec(guide)?.[1] ?? "";
    const file = path.join(server.home, "snippet.mjs");
    writeFileSync(file, snippet);
    const { isFromSpotter } = (await import(pathToFileURL(file).href)) as {
      isFromSpotter(headers: object, body: string, secret: string, now?: number): boolean;
    };
    const [{ headers, body } = { headers: {}, body: "" }] = receiver.received;
    expect(isFromSpotter(headers, body, target.secret ?? "")).toBe(true);
    expect(isFromSpotter(headers, `${body} `, target.secret ?? "")).toBe(false);
    expect(isFromSpotter(headers, body, "another secret")).toBe(false);
    expect(isFromSpotter(headers, body, target.secret ?? "", Date.now() / 1000 + 900)).toBe(false);
  });

  it("are given up after so many tries, shown with the last answer, and sent again on demand", async () => {
    const { server, ahead } = await open();
    const receiver = await openReceiver();
    receiver.usual = { status: 418, text: "I am a teapot" };
    const target = await addTarget(server, `${receiver.url}/hook`);
    await addRule(server, ANY_NAN, { target_ids: [target.id] });
    await (await openRun(server)).tell("loss", "NaN");
    const [dead] = await waitUntil(
      () => {
        ahead.seconds += 4_000;
        return deliveriesOf(server);
      },
      ([delivery]) => delivery?.state === "dead",
    );
    expect(dead).toMatchObject({
      ...{ num_tries: MAX_TRIES, next_try_at: null },
      ...{ last_status: 418, last_answer: "I am a teapot" },
    });
    expect(receiver.received).toHaveLength(MAX_TRIES);
    receiver.usual = { status: 200 };
    const params = { delivery_id: String(dead?.id) };
    await server.client.call(sendAlertDelivery, { params });
    await waitUntil(
      () => deliveriesOf(server),
      ([delivery]) => delivery?.state === "delivered" && delivery.num_tries === 1,
    );
    const keys = receiver.received.map(({ headers }) => headers["x-spotter-delivery"]);
    expect(new Set(keys).size).toBe(1);
  });

  it("to one receiver that hangs do not hold up those to another", async () => {
    const { server } = await open();
    const slow = await openReceiver();
    slow.usual = "silent";
    const quick = await openReceiver();
    const targets = [await addTarget(server, slow.url), await addTarget(server, quick.url)];
    await addRule(server, ANY_NAN, { target_ids: targets.map(({ id }) => id) });
    const run = await openRun(server);
    await run.tell("loss", "NaN");
    await untilReceived(quick, 1);
    expect((await deliveriesOf(server)).some(({ state }) => state === "waiting")).toBe(true);
  });

  it("speak the languages of Slack, Feishu and DingTalk", async () => {
    const { server } = await open();
    const receiver = await openReceiver();
    const send = async (kind: AlertTargetKind, text: string, secret?: string) => {
      receiver.answers.push({ status: 200, text });
      const target = await addTarget(server, `${receiver.url}/${kind}?token=1`, kind, secret);
      const params = { target_id: String(target.id) };
      const delivery = await server.client.call(testAlertTarget, { params });
      return { delivery, received: receiver.received.at(-1) as Received };
    };
    const slack = await send("slack", "ok");
    expect(slack.delivery.state).toBe("delivered");
    expect(JSON.parse(slack.received.body)).toEqual({
      text: "*Spotter test message*\nThis is a test: alerts will arrive here.",
    });

    const feishu = await send("feishu", '{"code":0,"msg":"success"}', "feishu secret");
    expect(feishu.delivery.state).toBe("delivered");
    const post = JSON.parse(feishu.received.body) as Record<string, string>;
    const key = `${post.timestamp}\nfeishu secret`;
    expect(post).toMatchObject({
      msg_type: "post",
      sign: createHmac("sha256", key).update("").digest("base64"),
    });

    const dingtalk = await send("dingtalk", '{"errcode":0,"errmsg":"ok"}', "SECdingtalk");
    expect(dingtalk.delivery.state).toBe("delivered");
    const timestamp = dingtalk.received.query.get("timestamp");
    expect(dingtalk.received.query.get("token")).toBe("1");
    expect(dingtalk.received.query.get("sign")).toBe(
      createHmac("sha256", "SECdingtalk").update(`${timestamp}\nSECdingtalk`).digest("base64"),
    );
    expect(JSON.parse(dingtalk.received.body)).toMatchObject({ msgtype: "markdown" });

    const refused = await send("feishu", '{"code":19021,"msg":"sign match fail"}', "wrong one");
    expect(refused.delivery).toMatchObject({ state: "dead", last_status: 200, num_tries: 1 });
    expect(refused.delivery.last_answer).toContain("sign match fail");
  });
});

describe("targets", () => {
  it("never show their address or secret again, and keep both sealed", async () => {
    const { server } = await open();
    const url = "https://hooks.slack.com/services/T000/B000/veryverysecret";
    await addTarget(server, url, "slack");
    const webhook = await addTarget(server, "https://example.org/a/long/secret/path");
    expect(webhook.secret).toMatch(/^whs_.{40,}$/);
    const lists = [
      await server.client.call(listAlertTargets, {}),
      await server.client.call(listAlertDeliveries, {}),
      await server.client.call(listAudit, { query: {} }),
      await server.database.read("select * from alert_targets"),
    ];
    const text = JSON.stringify(lists);
    expect(text).not.toContain("veryverysecret");
    expect(text).not.toContain(webhook.secret);
    expect(text).toContain("https://hooks.slack.com/…cret");
    expect(statSync(path.join(server.home, "alerts.key")).mode & 0o777).toBe(0o600);
  });

  it("do not show their address in a receiver's answer that repeats it", async () => {
    const { server } = await open();
    const receiver = await openReceiver();
    const url = `${receiver.url}/hooks/veryvery%20secret?access_token=alsosecret1`;
    const { id } = await addTarget(server, url, "dingtalk", "signed-with-this");
    const answers = ["veryvery%20secret", "veryvery secret", "alsosecret1", "signed-with-this"];
    receiver.usual = { status: 404, text: `Cannot POST: ${answers.join(", ")}` };
    const params = { target_id: String(id) };
    const tested = await server.client.call(testAlertTarget, { params });
    expect(tested.last_answer).toBe("Cannot POST: …, …, …, …");
    expect((await deliveriesOf(server))[0]?.last_answer).toBe(tested.last_answer);
  });

  it("with private addresses are refused unless a setting allows them", async () => {
    const { server } = await open({});
    await expect(addTarget(server, "http://127.0.0.1:9/x")).rejects.toMatchObject({
      ...{ code: "alert-address-refused", status: 400 },
    });
    await expect(addTarget(server, "http://[::1]/x")).rejects.toMatchObject({
      code: "alert-address-refused",
    });
    await expect(addTarget(server, "ftp://example.org/x")).rejects.toMatchObject({
      code: "invalid-request",
    });
    expect((await server.client.call(listAlertTargets, {})).targets).toEqual([]);
  });

  it("take their waiting deliveries with them, and leave the rules", async () => {
    const { server } = await open();
    const receiver = await openReceiver();
    receiver.usual = { status: 500 };
    const target = await addTarget(server, receiver.url);
    await addRule(server, ANY_NAN, { target_ids: [target.id] });
    await (await openRun(server)).tell("loss", "NaN");
    await untilReceived(receiver, 1);
    const params = { target_id: String(target.id) };
    await server.client.call(deleteAlertTarget, { params });
    const [delivery] = await waitUntil(
      () => deliveriesOf(server),
      ([each]) => each?.state === "dead",
    );
    expect(delivery?.last_answer).toBe("The target was removed.");
    const [rule] = (await server.client.call(listAlertRules, {})).rules;
    expect(rule?.target_ids).toEqual([]);
    const again = { delivery_id: String(delivery?.id) };
    await expect(server.client.call(sendAlertDelivery, { params: again })).rejects.toMatchObject({
      code: "alert-target-unfit",
    });
  });

  it("and runs of another project, and values that contradict each other, make no rule", async () => {
    const { server } = await open();
    const make = (wish: object) =>
      server.client.call(createAlertRule, { body: { name: "x", condition: ANY_NAN, ...wish } });
    await expect(make({ target_ids: [77] })).rejects.toMatchObject({
      code: "alert-target-not-found",
    });
    await expect(make({ scope: { run_id: 4_711 } })).rejects.toMatchObject({
      code: "run-not-found",
    });
    const condition = { kind: "metric", metric: "a", comparison: "above", value: 1 };
    await expect(make({ condition: { ...condition, recover_value: 2 } })).rejects.toMatchObject({
      code: "invalid-request",
    });
    expect((await server.client.call(listAlertRules, {})).rules).toEqual([]);
  });
});
