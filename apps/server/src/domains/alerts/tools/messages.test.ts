// What each kind of receiver is sent, against what its makers document.
import { createHmac } from "node:crypto";
import { type Alert, AlertNotice } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { isTaken, type Letter, messageOf } from "./messages.ts";

const alert: Alert = {
  ...{ id: 3, rule_id: 2, rule_name: "diverged", project_id: 1, run_id: 42 },
  run_name: "<!channel> [x](http://evil)",
  condition: { kind: "non-finite", metric: null, points: 1 },
  ...{ state: null, reason: null, metric: "train/loss", value: "NaN", step: 120 },
  ...{ sentence: "train/loss is NaN (step 120).", fired_at: 1000, recovered_at: null },
  closed: null,
};
const letter = (change: Partial<Letter>): Letter => ({
  kind: "webhook",
  destination: { url: "https://example.org/hook?a=1", secret: "the secret" },
  ...{ language: "en", event: "alert-fired", deliveryKey: "key-1", alert },
  ...{ runUrl: "http://spotter/runs/42/charts", now: 1_700_000_000.25, version: "0.1.0" },
  ...change,
});
const bodyOf = (change: Partial<Letter>) =>
  JSON.parse(messageOf(letter(change)).body) as Record<string, unknown>;

describe("a webhook", () => {
  it("is the contract's notice, signed over timestamp and body", () => {
    const { headers, body } = messageOf(letter({}));
    const notice = AlertNotice.parse(JSON.parse(body));
    expect(notice).toMatchObject({ delivery_id: "key-1", event: "alert-fired", run: { id: 42 } });
    const expected = createHmac("sha256", "the secret").update(`1700000000.${body}`).digest("hex");
    expect(headers).toMatchObject({
      "x-spotter-timestamp": "1700000000",
      "x-spotter-signature": `v1=${expected}`,
      "x-spotter-delivery": "key-1",
      "x-spotter-event": "alert-fired",
    });
  });

  it("for a test has neither run nor alert", () => {
    expect(bodyOf({ event: "alert-test", alert: null, runUrl: null })).toMatchObject({
      ...{ event: "alert-test", alert: null, run: null, rule: null },
    });
  });
});

describe("a failure", () => {
  const failed: Alert = {
    ...alert,
    ...{ condition: { kind: "state", states: ["failed"] }, metric: null, value: null, step: null },
    ...{ state: "failed", reason: "loss is <b>NaN</b> at *step* 37" },
  };

  it.each([
    ["webhook", "The run has failed: loss is <b>NaN</b> at *step* 37"],
    ["slack", "The run has failed: loss is &lt;b&gt;NaN&lt;/b&gt; at *step* 37"],
    ["feishu", "The run has failed: loss is <b>NaN</b> at *step* 37"],
    ["dingtalk", "The run has failed: loss is ＜b＞NaN＜/b＞ at ∗step∗ 37"],
  ] as const)("is told with its reason to %s", (kind, told) => {
    expect(JSON.stringify(bodyOf({ kind, alert: failed }))).toContain(told);
  });

  it("is told in Chinese up to the reason", () => {
    const text = JSON.stringify(bodyOf({ kind: "feishu", language: "zh", alert: failed }));
    expect(text).toContain("训练失败：loss is <b>NaN</b>");
  });
});

describe("Slack", () => {
  it("gets one text, in which a run's name neither calls anybody nor becomes a link", () => {
    const body = bodyOf({ kind: "slack" });
    expect(Object.keys(body)).toEqual(["text"]);
    expect(body.text).toContain("#42 &lt;!channel&gt; [x](http://evil)");
    expect(body.text).toContain("train/loss is NaN (step 120).");
    expect(body.text).toContain("<http://spotter/runs/42/charts|Open the run>");
  });
});

describe("Feishu", () => {
  it("gets a post in its language, signed as its documents say: the text is the key", () => {
    const body = bodyOf({ kind: "feishu", language: "zh" });
    const sign = createHmac("sha256", "1700000000\nthe secret").update("").digest("base64");
    expect(body).toMatchObject({ msg_type: "post", timestamp: "1700000000", sign });
    const { post } = body.content as { post: { zh_cn: { title: string; content: object[][] } } };
    expect(post.zh_cn.title).toContain("告警：#42");
    expect(post.zh_cn.content[0]).toEqual([
      { tag: "text", text: "train/loss 为 NaN（第 120 步）。" },
    ]);
    expect(post.zh_cn.content.at(-1)).toEqual([
      { tag: "a", text: "打开训练", href: "http://spotter/runs/42/charts" },
    ]);
  });

  it("is not signed without a secret", () => {
    const destination = { url: "https://open.feishu.cn/x", secret: null };
    expect(bodyOf({ kind: "feishu", destination })).not.toHaveProperty("sign");
  });

  it("says in its answer's body whether it took a message", () => {
    expect(isTaken("feishu", { status: 200, text: '{"code":0,"msg":"success"}' })).toBe(true);
    expect(isTaken("feishu", { status: 200, text: '{"StatusCode":0}' })).toBe(true);
    expect(isTaken("feishu", { status: 200, text: '{"code":19021,"msg":"sign match fail"}' })).toBe(
      false,
    );
  });
});

describe("DingTalk", () => {
  it("gets markdown, with milliseconds and signature in the address", () => {
    const message = messageOf(letter({ kind: "dingtalk" }));
    const query = new URL(message.url).searchParams;
    const sign = createHmac("sha256", "the secret")
      .update("1700000000250\nthe secret")
      .digest("base64");
    expect(Object.fromEntries(query)).toEqual({ a: "1", timestamp: "1700000000250", sign });
    const body = JSON.parse(message.body) as { msgtype: string; markdown: { text: string } };
    expect(body.msgtype).toBe("markdown");
    expect(body.markdown.text).not.toContain("[x](http://evil)");
    expect(body.markdown.text).toContain("[Open the run](http://spotter/runs/42/charts)");
  });

  it("says in its answer's body whether it took a message", () => {
    expect(isTaken("dingtalk", { status: 200, text: '{"errcode":0,"errmsg":"ok"}' })).toBe(true);
    expect(isTaken("dingtalk", { status: 200, text: '{"errcode":310000}' })).toBe(false);
    expect(isTaken("dingtalk", { status: 200, text: "<html>" })).toBe(false);
  });
});

it("takes any 2xx of a webhook and of Slack, and no redirect", () => {
  expect(isTaken("webhook", { status: 204, text: "" })).toBe(true);
  expect(isTaken("slack", { status: 200, text: "ok" })).toBe(true);
  expect(isTaken("webhook", { status: 302, text: "" })).toBe(false);
});
