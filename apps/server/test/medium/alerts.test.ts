// Alert rules, fired by real batches, and how their alerts end.
import { followRuns } from "@spotter/client";
import {
  AlertNotice,
  deleteAlertRule,
  deleteRun,
  listAlertRules,
  listAlerts,
  markAlertsRead,
  updateAlertRule,
  updateRun,
} from "@spotter/contract";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  ANY_NAN,
  addRule,
  addTarget,
  alertsOf,
  deliveriesOf,
  open,
  openRun,
  untilAlerts,
  untilReceived,
} from "../alert-house.ts";
import { testEngine } from "../database.ts";
import { startFakeTraining } from "../fake-training.ts";
import { openReceiver } from "../receiver.ts";
import { waitUntil } from "../wait-until.ts";

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

describe("an alert that is open", () => {
  it("is closed with its rule, and nobody says that it has recovered", async () => {
    const { server } = await open();
    const receiver = await openReceiver();
    const target = await addTarget(server, `${receiver.url}/hook`);
    const rule = await addRule(server, ANY_NAN, { target_ids: [target.id] });
    const run = await openRun(server);
    await run.tell("loss", "NaN");
    await untilAlerts(server, 1);
    await untilReceived(receiver, 1);
    await server.client.call(deleteAlertRule, { params: { rule_id: String(rule.id) } });
    const [alert] = await untilAlerts(server, 0, 1);
    expect(alert).toMatchObject({
      recovered_at: null,
      closed: { why: "rule-removed", at: expect.any(Number) },
    });
    const query = { open: "true" as const };
    expect((await server.client.call(listAlerts, { query })).alerts).toEqual([]);
    expect((await deliveriesOf(server)).map(({ event }) => event)).toEqual(["alert-fired"]);
  });

  it("says whether its rule was changed or switched off meanwhile", async () => {
    const { server } = await open();
    const rule = await addRule(server, ANY_NAN);
    const run = await openRun(server);
    const update = (body: object) =>
      server.client.call(updateAlertRule, { params: { rule_id: String(rule.id) }, body });
    await run.tell("loss", "NaN");
    await untilAlerts(server, 1);
    await update({ condition: { ...ANY_NAN, points: 2 } });
    await run.tell("loss", "NaN", "NaN");
    await untilAlerts(server, 1, 2);
    await update({ enabled: false });
    const alerts = await untilAlerts(server, 0, 2);
    expect(alerts.map(({ closed }) => closed?.why)).toEqual(["rule-switched-off", "rule-changed"]);
  });

  it("is closed when its run is removed for good", async () => {
    const { server, ahead } = await open();
    await addRule(server, { kind: "state", states: ["failed"] });
    const training = await startFakeTraining(server);
    await training.finish({ state: "failed" });
    await untilAlerts(server, 1);
    await server.client.call(deleteRun, { params: { run_id: String(training.id) } });
    ahead.seconds = 8 * 86_400;
    await server.app.sweep();
    const [alert] = await untilAlerts(server, 0, 1);
    expect(alert?.closed?.why).toBe("run-removed");
  });
});

describe("an alert on a state", () => {
  it("says why the run has failed, on the page and to whoever is sent it", async () => {
    const { server } = await open();
    const receiver = await openReceiver();
    const target = await addTarget(server, `${receiver.url}/hook`);
    const condition = { kind: "state" as const, states: ["failed" as const] };
    await addRule(server, condition, { target_ids: [target.id] });
    const training = await startFakeTraining(server);
    const why = "loss is NaN at step 37; the learning rate may be too high";
    const error = { kind: "diverged", message: `${why}\n `, hint: null, traceback: null };
    await training.send([
      { type: "run-started", time: 1 },
      { type: "run-ended", time: 2, state: "failed", error },
    ]);
    const [alert] = await untilAlerts(server, 1);
    const sentence = `The run has failed: ${why}`;
    expect(alert).toMatchObject({ state: "failed", reason: why, sentence });
    const [received] = await untilReceived(receiver, 1);
    const notice = AlertNotice.parse(JSON.parse(received?.body ?? ""));
    expect(notice).toMatchObject({ sentence, alert: { reason: why, sentence } });
  });
});

describe("a second server beside the same database", () => {
  it("watches a rule that was made at the first one", async () => {
    // A SQLite file has one server.
    if (testEngine === "sqlite") return;
    const { server } = await open();
    const beside = await server.openBeside();
    await addRule(server, ANY_NAN);
    const run = await openRun(beside);
    // It asks every few seconds: until then its points are nobody's.
    const alerts = await waitUntil(
      async () => {
        await run.tell("loss", "NaN");
        return alertsOf(server);
      },
      ({ length }) => length > 0,
      60_000,
    );
    expect(alerts[0]).toMatchObject({ run_id: run.id, metric: "loss" });
  });
});
