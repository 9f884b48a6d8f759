// What tests of alerts need: a server whose clock can run ahead, runs that tell points, rules and targets.
import {
  type AlertCondition,
  type AlertTargetKind,
  createAlertRule,
  createAlertTarget,
  createRun,
  listAlertDeliveries,
  listAlerts,
  sendRunEvents,
} from "@spotter/contract";
import { onTestFinished } from "vitest";
import { startTestServer, type TestServer } from "./harness.ts";
import type { Receiver } from "./receiver.ts";
import { waitUntil } from "./wait-until.ts";

const ALLOW = { SPOTTER_ALERT_PRIVATE_TARGETS: "allow" };
export const ANY_NAN = {
  ...{ kind: "non-finite" as const, metric: null, points: 1 },
} satisfies AlertCondition;

export interface Opened {
  readonly server: TestServer;
  /** The server's clock runs ahead by so many seconds. */
  readonly ahead: { seconds: number };
}

export async function open(env: Record<string, string> = ALLOW): Promise<Opened> {
  const ahead = { seconds: 0 };
  const clock = { now: () => Date.now() / 1000 + ahead.seconds };
  const server = await startTestServer({ env, clock });
  onTestFinished(() => server.close());
  return { server, ahead };
}

/** An own script's run that tells one value after the other. */
export async function openRun(
  server: Pick<TestServer, "client">,
  body: { name?: string; tags?: string[] } = {},
) {
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

export const alertsOf = async (server: TestServer) =>
  (await server.client.call(listAlerts, {})).alerts;
export const untilAlerts = (server: TestServer, numOpen: number, numAll = numOpen) =>
  waitUntil(
    () => alertsOf(server),
    (alerts) =>
      alerts.length === numAll &&
      alerts.filter(({ recovered_at, closed }) => recovered_at === null && closed === null)
        .length === numOpen,
  );
export const deliveriesOf = async (server: TestServer) =>
  (await server.client.call(listAlertDeliveries, {})).deliveries;
export const untilReceived = (receiver: Receiver, num: number) =>
  waitUntil(
    () => receiver.received,
    (received) => received.length >= num,
  );

export async function addRule(
  server: TestServer,
  condition: AlertCondition,
  wish: { target_ids?: number[]; scope?: object; cooldown_s?: number } = {},
) {
  const body = { name: "watch", condition, cooldown_s: 0, ...wish } as never;
  return server.client.call(createAlertRule, { body });
}

export async function addTarget(
  server: TestServer,
  url: string,
  kind: AlertTargetKind = "webhook",
  secret?: string,
) {
  const body = { name: kind, kind, url, ...(secret === undefined ? {} : { secret }) };
  return server.client.call(createAlertTarget, { body });
}
