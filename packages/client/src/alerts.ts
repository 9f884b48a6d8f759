// Alerts: what fired, the rules, where they are delivered, and how that went.
import {
  type AlertDelivery,
  type AlertPage,
  type AlertRule,
  type AlertTarget,
  type CreateAlertRule,
  type CreateAlertTarget,
  createAlertRule,
  createAlertTarget,
  type DeliveryPage,
  deleteAlertRule,
  deleteAlertTarget,
  type ListAlertsQuery,
  type ListDeliveriesQuery,
  listAlertDeliveries,
  listAlertRules,
  listAlerts,
  listAlertTargets,
  markAlertsRead,
  type NewAlertTarget,
  renewAlertSecret,
  sendAlertDelivery,
  testAlertTarget,
  type UpdateAlertRule,
  type UpdateAlertTarget,
  updateAlertRule,
  updateAlertTarget,
} from "@spotter/contract";
import type { z } from "zod";
import type { HttpClient } from "./http.ts";

/**
 * What fired, newest first, and how much of it the person has not read.
 * @example await fetchAlerts(client, { run_id: "42", open: "true" });
 */
export function fetchAlerts(
  client: HttpClient,
  query: z.input<typeof ListAlertsQuery> = {},
): Promise<AlertPage> {
  return client.call(listAlerts, { query });
}

/** Marks alerts as read, up to one; for the caller only. */
export async function readAlerts(client: HttpClient, upTo: number): Promise<void> {
  await client.call(markAlertsRead, { body: { up_to: upTo } });
}

/** The rules that the person may see. */
export async function fetchAlertRules(
  client: HttpClient,
  projectId?: number,
): Promise<AlertRule[]> {
  const query = projectId === undefined ? {} : { project_id: String(projectId) };
  return (await client.call(listAlertRules, { query })).rules;
}

/**
 * Makes a rule.
 * @example await addAlertRule(client, { name: "diverged", condition: { kind: "non-finite", metric: null } });
 */
export function addAlertRule(
  client: HttpClient,
  body: z.input<typeof CreateAlertRule>,
): Promise<AlertRule> {
  return client.call(createAlertRule, { body });
}

/** Changes a rule, or switches it off and on. */
export function changeAlertRule(
  client: HttpClient,
  ruleId: number,
  body: z.input<typeof UpdateAlertRule>,
): Promise<AlertRule> {
  return client.call(updateAlertRule, { params: { rule_id: ruleId }, body });
}

/** Removes a rule; what it fired stays in the list. */
export async function removeAlertRule(client: HttpClient, ruleId: number): Promise<void> {
  await client.call(deleteAlertRule, { params: { rule_id: ruleId } });
}

/** The targets that the person may see, without addresses and secrets. */
export async function fetchAlertTargets(
  client: HttpClient,
  projectId?: number,
): Promise<AlertTarget[]> {
  const query = projectId === undefined ? {} : { project_id: String(projectId) };
  return (await client.call(listAlertTargets, { query })).targets;
}

/** Adds a webhook or a chat. A webhook's secret is in this answer and never again. */
export function addAlertTarget(
  client: HttpClient,
  body: z.input<typeof CreateAlertTarget>,
): Promise<NewAlertTarget> {
  return client.call(createAlertTarget, { body });
}

/** Changes a target, or switches it off and on. */
export function changeAlertTarget(
  client: HttpClient,
  targetId: number,
  body: z.input<typeof UpdateAlertTarget>,
): Promise<AlertTarget> {
  return client.call(updateAlertTarget, { params: { target_id: targetId }, body });
}

/** Removes a target; what waits for it is given up. */
export async function removeAlertTarget(client: HttpClient, targetId: number): Promise<void> {
  await client.call(deleteAlertTarget, { params: { target_id: targetId } });
}

/** Makes a new secret for a webhook; shown in this answer only. */
export function renewWebhookSecret(client: HttpClient, targetId: number): Promise<NewAlertTarget> {
  return client.call(renewAlertSecret, { params: { target_id: targetId } });
}

/** Sends a sample now, once, and says how it went. */
export function tryAlertTarget(client: HttpClient, targetId: number): Promise<AlertDelivery> {
  return client.call(testAlertTarget, { params: { target_id: targetId } });
}

/** Deliveries with their tries and the last answer, newest first. */
export function fetchDeliveries(
  client: HttpClient,
  query: z.input<typeof ListDeliveriesQuery> = {},
): Promise<DeliveryPage> {
  return client.call(listAlertDeliveries, { query });
}

/** Sends a delivery again; it keeps its id, so that a receiver that has it knows. */
export function resendDelivery(client: HttpClient, deliveryId: number): Promise<AlertDelivery> {
  return client.call(sendAlertDelivery, { params: { delivery_id: deliveryId } });
}
