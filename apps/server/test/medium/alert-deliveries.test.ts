// What becomes of an alert on its way to a receiver, and what a target keeps to itself; received by a real HTTP server.
import { createHmac } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import {
  AlertNotice,
  type AlertTargetKind,
  createAlertRule,
  deleteAlertTarget,
  listAlertDeliveries,
  listAlertRules,
  listAlertTargets,
  listAudit,
  sendAlertDelivery,
  testAlertTarget,
} from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { MAX_TRIES } from "../../src/domains/alerts/courier.ts";
import {
  ANY_NAN,
  addRule,
  addTarget,
  deliveriesOf,
  open,
  openRun,
  untilReceived,
} from "../alert-house.ts";
import { openReceiver, type Received } from "../receiver.ts";
import { waitUntil } from "../wait-until.ts";

function isSigned({ headers, body }: Received, secret: string): boolean {
  const timestamp = headers["x-spotter-timestamp"];
  const expected = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return headers["x-spotter-signature"] === `v1=${expected}`;
}

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
