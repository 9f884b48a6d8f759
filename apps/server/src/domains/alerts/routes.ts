// HTTP of alerts: what fired, rules, targets, deliveries.
import {
  createAlertRule,
  createAlertTarget,
  deleteAlertRule,
  deleteAlertTarget,
  listAlertDeliveries,
  listAlertRules,
  listAlerts,
  listAlertTargets,
  markAlertsRead,
  renewAlertSecret,
  sendAlertDelivery,
  testAlertTarget,
  updateAlertRule,
  updateAlertTarget,
} from "@spotter/contract";
import type { Caller, Router } from "../../platform/route.ts";
import type { AlertService, By } from "./service.ts";
import type { RuleRow, TargetRow } from "./tables.ts";
import type { AlertTargets } from "./targets.ts";

export interface AlertRouteParts {
  readonly router: Router;
  readonly alerts: AlertService;
  readonly targets: AlertTargets;
  readonly defaultProject: () => Promise<number>;
  readonly requireProject: (id: number) => Promise<void>;
}

export function registerAlertRoutes(parts: AlertRouteParts): void {
  const { router, alerts } = parts;
  router.signedIn(listAlerts, ({ query, caller }) => alerts.alerts(query, caller));
  router.signedIn(markAlertsRead, async ({ body, caller }) => {
    await alerts.markRead(body.up_to, caller);
    return { done: true as const };
  });
  bindRules(parts);
  bindTargets(parts);
  bindDeliveries(parts);
}

/** The project that a new thing is for. */
async function projectFor(
  { defaultProject, requireProject }: AlertRouteParts,
  wanted: number | undefined,
): Promise<number> {
  if (wanted === undefined) return defaultProject();
  await requireProject(wanted);
  return wanted;
}

function bindRules(parts: AlertRouteParts): void {
  const { router, alerts } = parts;
  const rowOf = ({ params }: { params: { rule_id: string } }): Promise<RuleRow> =>
    alerts.require(Number(params.rule_id));
  const projectOf = async (input: { params: { rule_id: string } }) =>
    (await rowOf(input)).project_id;

  router.signedIn(listAlertRules, async ({ query, caller }) => ({
    rules: await alerts.rules(query.project_id, caller),
  }));
  router.inProject(
    createAlertRule,
    ({ body }) => projectFor(parts, body.project_id),
    async (input) =>
      alerts.create(await projectFor(parts, input.body.project_id), input.body, byOf(input)),
  );
  router.inProject(updateAlertRule, projectOf, async (input) =>
    alerts.update(await rowOf(input), input.body, byOf(input)),
  );
  router.inProject(deleteAlertRule, projectOf, async (input) => {
    await alerts.remove(await rowOf(input), byOf(input));
    return { done: true as const };
  });
}

function bindTargets(parts: AlertRouteParts): void {
  const { router, targets } = parts;
  const rowOf = ({ params }: { params: { target_id: string } }): Promise<TargetRow> =>
    targets.require(Number(params.target_id));
  const projectOf = async (input: { params: { target_id: string } }) =>
    (await rowOf(input)).project_id;

  router.signedIn(listAlertTargets, async ({ query, caller }) => ({
    targets: await targets.targets(query.project_id, caller),
  }));
  router.inProject(
    createAlertTarget,
    ({ body }) => projectFor(parts, body.project_id),
    async (input) =>
      targets.create(await projectFor(parts, input.body.project_id), input.body, byOf(input)),
  );
  router.inProject(updateAlertTarget, projectOf, async (input) =>
    targets.update(await rowOf(input), input.body, byOf(input)),
  );
  router.inProject(deleteAlertTarget, projectOf, async (input) => {
    await targets.remove(await rowOf(input), byOf(input));
    return { done: true as const };
  });
  router.inProject(renewAlertSecret, projectOf, async (input) =>
    targets.renewSecret(await rowOf(input), byOf(input)),
  );
  router.inProject(testAlertTarget, projectOf, async (input) =>
    targets.test(await rowOf(input), byOf(input)),
  );
}

function bindDeliveries({ router, targets }: AlertRouteParts): void {
  router.signedIn(listAlertDeliveries, ({ query, caller }) => targets.deliveries(query, caller));
  router.inProject(
    sendAlertDelivery,
    async ({ params }) => (await targets.requireDelivery(Number(params.delivery_id))).project_id,
    async (input) =>
      targets.sendAgain(
        await targets.requireDelivery(Number(input.params.delivery_id)),
        byOf(input),
      ),
  );
}

function byOf({ caller, request }: { caller: Caller; request: { ip: string } }): By {
  return { caller, address: request.ip };
}
