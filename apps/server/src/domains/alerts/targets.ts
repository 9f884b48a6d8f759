// What the alerts room decides about targets and deliveries: which addresses are taken, what is kept secret and how.
import { randomBytes } from "node:crypto";
import type {
  AlertDelivery,
  AlertTarget,
  CreateAlertTarget,
  DeliveryPage,
  ListDeliveriesQuery,
  NewAlertTarget,
  UpdateAlertTarget,
} from "@spotter/contract";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Caller } from "../../platform/route.ts";
import type { Courier } from "./courier.ts";
import type { DeliveriesStore } from "./deliveries-store.ts";
import {
  addressRefused,
  deliveryNotFound,
  deliveryWaiting,
  targetNotFound,
  targetUnfit,
} from "./errors.ts";
import { deliveryTo } from "./ledger.ts";
import { type By, projectsOf } from "./service.ts";
import type { AlertStore } from "./store.ts";
import type { DeliveryRow, TargetRow } from "./tables.ts";
import { isSurelyPrivate } from "./tools/address-guard.ts";
import type { Destination } from "./tools/messages.ts";
import type { SealedBox } from "./tools/sealed-box.ts";
import { toDelivery, toTarget } from "./views.ts";

export interface AlertTargetsParts {
  readonly store: AlertStore;
  readonly deliveries: DeliveriesStore;
  readonly courier: Courier;
  readonly box: SealedBox;
  readonly audit: AuditRecorder;
  readonly now: () => number;
  readonly allowPrivate: boolean;
}

/** While a test is sent the courier leaves it alone; a server that dies meanwhile leaves it to the next one. */
const TEST_LEASE_S = 60;

export class AlertTargets {
  readonly #parts: AlertTargetsParts;

  constructor(parts: AlertTargetsParts) {
    this.#parts = parts;
  }

  async require(id: number): Promise<TargetRow> {
    const row = await this.#parts.store.target(id);
    if (row === undefined) throw targetNotFound();
    return row;
  }

  async targets(wanted: string | undefined, caller: Caller): Promise<AlertTarget[]> {
    return (await this.#parts.store.targets(projectsOf(caller, wanted))).map(toTarget);
  }

  async create(
    projectId: number,
    wish: z.output<typeof CreateAlertTarget>,
    by: By,
  ): Promise<NewAlertTarget> {
    const { store, box, now } = this.#parts;
    const { name, kind, language } = wish;
    this.#checkAddress(wish.url);
    const made = kind === "webhook" && wish.secret === undefined ? newSecret() : null;
    if (kind === "slack" && wish.secret !== undefined)
      throw targetUnfit("Slack signs nothing: its address is the secret. Leave `secret` out.");
    const secret = wish.secret ?? made;
    const row = await store.addTarget({
      ...{ project_id: projectId, name, kind, language, enabled: 1 },
      url_hint: hintOf(wish.url),
      sealed: box.seal({ url: wish.url, secret } satisfies Destination),
      has_secret: secret === null ? 0 : 1,
      created_at: now(),
      created_by_name: by.caller.userName,
      deleted_at: null,
    });
    await this.#record(row, by, "alert-target-created");
    return { ...toTarget(row), secret: made };
  }

  async update(
    row: TargetRow,
    wish: z.output<typeof UpdateAlertTarget>,
    by: By,
  ): Promise<AlertTarget> {
    const { name, language, enabled, url, secret } = wish;
    if (url !== undefined) this.#checkAddress(url);
    if (row.kind === "slack" && secret !== undefined)
      throw targetUnfit("Slack signs nothing: its address is the secret. Leave `secret` out.");
    const changed = await this.#parts.store.updateTarget(row.id, {
      id: row.id,
      ...(name === undefined ? {} : { name }),
      ...(language === undefined ? {} : { language }),
      ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
      ...(url === undefined && secret === undefined ? {} : this.#resealed(row, url, secret)),
    });
    if (changed === undefined) throw targetNotFound();
    await this.#record(changed, by, "alert-target-changed");
    return toTarget(changed);
  }

  async renewSecret(row: TargetRow, by: By): Promise<NewAlertTarget> {
    if (row.kind !== "webhook")
      throw targetUnfit("Only a webhook's secret is made here; Feishu and DingTalk make theirs.");
    const secret = newSecret();
    const changed = await this.#parts.store.updateTarget(
      row.id,
      this.#resealed(row, undefined, secret),
    );
    if (changed === undefined) throw targetNotFound();
    await this.#record(changed, by, "alert-target-secret-renewed");
    return { ...toTarget(changed), secret };
  }

  async remove(row: TargetRow, by: By): Promise<void> {
    const { store, deliveries, box, now } = this.#parts;
    // Nothing of the address stays behind.
    const sealed = box.seal(null);
    await store.updateTarget(row.id, { deleted_at: now(), sealed, has_secret: 0 });
    await deliveries.giveUp(row.id, now(), "The target was removed.");
    await this.#record(row, by, "alert-target-removed");
  }

  async test(row: TargetRow, by: By): Promise<AlertDelivery> {
    const { deliveries, courier, now } = this.#parts;
    const delivery = await deliveries.addOne({
      ...deliveryTo(row, now()),
      ...{ event: "alert-test", rule_name: "", next_try_at: now() + TEST_LEASE_S },
    });
    await this.#record(row, by, "alert-target-tested");
    return courier.tryNow(delivery, row);
  }

  async deliveries(
    query: z.output<typeof ListDeliveriesQuery>,
    caller: Caller,
  ): Promise<DeliveryPage> {
    const limit = Number(query.limit);
    const rows = await this.#parts.deliveries.deliveries({
      projects: projectsOf(caller, query.project_id),
      limit: limit + 1,
      ...(query.target_id === undefined ? {} : { targetId: Number(query.target_id) }),
      ...(query.alert_id === undefined ? {} : { alertId: Number(query.alert_id) }),
      ...(query.state === undefined ? {} : { state: query.state }),
      ...(query.before === undefined ? {} : { before: Number(query.before) }),
    });
    const shown = rows.slice(0, limit);
    return {
      deliveries: shown.map(toDelivery),
      next_before: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  async requireDelivery(id: number): Promise<DeliveryRow> {
    const row = await this.#parts.deliveries.delivery(id);
    if (row === undefined) throw deliveryNotFound();
    return row;
  }

  async sendAgain(row: DeliveryRow, { caller, address }: By): Promise<AlertDelivery> {
    const { store, deliveries, courier, audit, now } = this.#parts;
    if ((await store.target(row.target_id)) === undefined)
      throw targetUnfit("The target of this delivery was removed.");
    const changed = await deliveries.sendAgain(row.id, now());
    if (changed === undefined) throw deliveryWaiting();
    await audit.record({
      ...{ userId: caller.userId, userName: caller.userName, address },
      ...{ action: "alert-delivery-sent-again", subjectKind: "alert-delivery" },
      ...{ subjectId: row.id, projectId: row.project_id, details: { target: row.target_name } },
    });
    courier.kick();
    return toDelivery(changed);
  }

  #checkAddress(text: string): void {
    if (!this.#parts.allowPrivate && isSurelyPrivate(new URL(text))) throw addressRefused();
  }

  #resealed(row: TargetRow, url: string | undefined, secret: string | undefined) {
    const { box } = this.#parts;
    // A new address and a new secret need nothing of the old ones, whose key may be lost.
    const before =
      url !== undefined && (secret !== undefined || row.has_secret === 0)
        ? { url, secret: null }
        : (box.open(row.sealed) as Destination);
    const next: Destination = { url: url ?? before.url, secret: secret ?? before.secret };
    return {
      sealed: box.seal(next),
      url_hint: hintOf(next.url),
      has_secret: next.secret === null ? 0 : 1,
    };
  }

  async #record(row: TargetRow, { caller, address }: By, action: string): Promise<void> {
    await this.#parts.audit.record({
      ...{ userId: caller.userId, userName: caller.userName, address, action },
      ...{ subjectKind: "alert-target", subjectId: row.id, projectId: row.project_id },
      details: { name: row.name, kind: row.kind, enabled: row.enabled === 1 },
    });
  }
}

function newSecret(): string {
  return `whs_${randomBytes(32).toString("base64url")}`;
}

/** Enough to tell two chats apart, too little to write to one. */
function hintOf(text: string): string {
  const { origin, pathname, search } = new URL(text);
  const rest = `${pathname}${search}`;
  return rest.length > 12 ? `${origin}/…${rest.slice(-4)}` : `${origin}/…`;
}
