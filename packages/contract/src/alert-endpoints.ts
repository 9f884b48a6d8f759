// Alerts as addresses: what fired, the rules, the targets, and the deliveries to them.
import { z } from "zod";
import {
  AlertDelivery,
  AlertDeliveryParams,
  AlertPage,
  AlertRule,
  AlertRuleParams,
  AlertTarget,
  AlertTargetParams,
  CreateAlertRule,
  CreateAlertTarget,
  DeliveryPage,
  ListAlertsQuery,
  ListDeliveriesQuery,
  NewAlertTarget,
  UpdateAlertRule,
  UpdateAlertTarget,
} from "./alerts.ts";
import { defineEndpoint } from "./endpoint.ts";
import { Done, Id, IdText } from "./scalars.ts";

export const listAlerts = defineEndpoint({
  domain: "alerts",
  name: "list-alerts",
  method: "GET",
  path: "/api/alerts",
  access: "signed-in",
  summary: "What fired in the projects that you are in, newest first.",
  query: ListAlertsQuery,
  response: AlertPage,
});
export const markAlertsRead = defineEndpoint({
  domain: "alerts",
  name: "mark-alerts-read",
  method: "POST",
  path: "/api/alerts/read",
  access: "signed-in",
  summary: "Mark alerts as read, up to one; for yourself only.",
  body: z.object({ up_to: Id }).strict(),
  response: Done,
});

export const listAlertRules = defineEndpoint({
  domain: "alerts",
  name: "list-alert-rules",
  method: "GET",
  path: "/api/alerts/rules",
  access: "signed-in",
  summary: "The rules of the projects that you are in.",
  query: z.object({ project_id: IdText.optional() }),
  response: z.object({ rules: z.array(AlertRule) }),
});
export const createAlertRule = defineEndpoint({
  domain: "alerts",
  name: "create-alert-rule",
  method: "POST",
  path: "/api/alerts/rules",
  access: "project-member",
  summary: "Make a rule: on a state, a metric or silence.",
  body: CreateAlertRule,
  response: AlertRule,
  status: 201,
});
export const updateAlertRule = defineEndpoint({
  domain: "alerts",
  name: "update-alert-rule",
  method: "PATCH",
  path: "/api/alerts/rules/:rule_id",
  access: "project-member",
  summary: "Change a rule, or switch it off and on.",
  params: AlertRuleParams,
  body: UpdateAlertRule,
  response: AlertRule,
});
export const deleteAlertRule = defineEndpoint({
  domain: "alerts",
  name: "delete-alert-rule",
  method: "DELETE",
  path: "/api/alerts/rules/:rule_id",
  access: "project-member",
  summary: "Remove a rule; what it fired stays in the list.",
  params: AlertRuleParams,
  response: Done,
});

export const listAlertTargets = defineEndpoint({
  domain: "alerts",
  name: "list-alert-targets",
  method: "GET",
  path: "/api/alerts/targets",
  access: "signed-in",
  summary: "Where alerts are delivered; without addresses and secrets.",
  query: z.object({ project_id: IdText.optional() }),
  response: z.object({ targets: z.array(AlertTarget) }),
});
export const createAlertTarget = defineEndpoint({
  domain: "alerts",
  name: "create-alert-target",
  method: "POST",
  path: "/api/alerts/targets",
  access: "project-admin",
  summary: "Add a webhook or a chat. A webhook's secret is in this answer and never again.",
  body: CreateAlertTarget,
  response: NewAlertTarget,
  status: 201,
});
export const updateAlertTarget = defineEndpoint({
  domain: "alerts",
  name: "update-alert-target",
  method: "PATCH",
  path: "/api/alerts/targets/:target_id",
  access: "project-admin",
  summary: "Change a target, or switch it off and on.",
  params: AlertTargetParams,
  body: UpdateAlertTarget,
  response: AlertTarget,
});
export const deleteAlertTarget = defineEndpoint({
  domain: "alerts",
  name: "delete-alert-target",
  method: "DELETE",
  path: "/api/alerts/targets/:target_id",
  access: "project-admin",
  summary: "Remove a target; what waits for it is given up.",
  params: AlertTargetParams,
  response: Done,
});
export const renewAlertSecret = defineEndpoint({
  domain: "alerts",
  name: "renew-alert-secret",
  method: "POST",
  path: "/api/alerts/targets/:target_id/secret",
  access: "project-admin",
  summary: "Make a new secret for a webhook; the old one ends at once. Shown once.",
  params: AlertTargetParams,
  response: NewAlertTarget,
});
export const testAlertTarget = defineEndpoint({
  domain: "alerts",
  name: "test-alert-target",
  method: "POST",
  path: "/api/alerts/targets/:target_id/test",
  access: "project-admin",
  summary: "Send a sample now, once, and say how it went.",
  params: AlertTargetParams,
  response: AlertDelivery,
  rateLimit: { max: 20, perSeconds: 60 },
});

export const listAlertDeliveries = defineEndpoint({
  domain: "alerts",
  name: "list-alert-deliveries",
  method: "GET",
  path: "/api/alerts/deliveries",
  access: "signed-in",
  summary: "Deliveries with their tries and the last answer, newest first.",
  query: ListDeliveriesQuery,
  response: DeliveryPage,
});
export const sendAlertDelivery = defineEndpoint({
  domain: "alerts",
  name: "send-alert-delivery",
  method: "POST",
  path: "/api/alerts/deliveries/:delivery_id/send",
  access: "project-member",
  summary: "Send a delivery again that was given up or had arrived; it keeps its id.",
  params: AlertDeliveryParams,
  response: AlertDelivery,
});
