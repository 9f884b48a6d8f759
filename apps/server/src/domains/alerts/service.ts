// What the alerts room decides about rules and alerts: who sees which, what a rule may say. Targets have their own.
import type {
  AlertCondition,
  AlertPage,
  AlertRule,
  CreateAlertRule,
  ListAlertsQuery,
  UpdateAlertRule,
} from "@spotter/contract";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import { invalidRequest, SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import type { RunService } from "../runs/index.ts";
import { ruleNotFound, targetNotFound } from "./errors.ts";
import type { AlertStore, Projects } from "./store.ts";
import type { AlertRow, RuleRow } from "./tables.ts";
import { toAlert, toRule } from "./views.ts";

/** The person behind a change. */
export interface By {
  readonly caller: Caller;
  readonly address: string;
}

export interface AlertServiceParts {
  readonly store: AlertStore;
  readonly runs: Pick<RunService, "find">;
  readonly audit: AuditRecorder;
  readonly now: () => number;
  /** The watchers look at their rules anew. */
  readonly rulesChanged: () => Promise<void>;
  /** Alerts that are open no more, for pages that show them. */
  readonly tell: (closed: readonly AlertRow[]) => void;
}

/** Of the projects that somebody may see, one or all. */
export function projectsOf(caller: Caller, wanted: string | undefined): Projects {
  const id = wanted === undefined ? undefined : Number(wanted);
  if (caller.isAdmin) return id === undefined ? null : [id];
  const own = [...caller.roles.keys()].filter((each) => id === undefined || each === id);
  // SQL has no empty list, and no project has this id.
  return own.length === 0 ? [0] : own;
}

export class AlertService {
  readonly #parts: AlertServiceParts;

  constructor(parts: AlertServiceParts) {
    this.#parts = parts;
  }

  async alerts(query: z.output<typeof ListAlertsQuery>, caller: Caller): Promise<AlertPage> {
    const { store } = this.#parts;
    const limit = Number(query.limit);
    const readUpTo = await store.readUpTo(caller.userId);
    const rows = await store.alerts({
      projects: projectsOf(caller, query.project_id),
      isOpen: query.open === "true",
      limit: limit + 1,
      ...(query.run_id === undefined ? {} : { runId: Number(query.run_id) }),
      ...(query.rule_id === undefined ? {} : { ruleId: Number(query.rule_id) }),
      ...(query.before === undefined ? {} : { before: Number(query.before) }),
    });
    const shown = rows.slice(0, limit);
    return {
      alerts: shown.map(toAlert),
      next_before: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
      num_unread: await store.numUnread(projectsOf(caller, undefined), readUpTo),
      read_up_to: readUpTo,
    };
  }

  /** A mark about oneself, as harmless as reading; the audit log does not keep it. */
  markRead(upTo: number, caller: Caller): Promise<void> {
    return this.#parts.store.markRead(caller.userId, upTo);
  }

  async require(id: number): Promise<RuleRow> {
    const row = await this.#parts.store.rule(id);
    if (row === undefined) throw ruleNotFound();
    return row;
  }

  async rules(wanted: string | undefined, caller: Caller): Promise<AlertRule[]> {
    return this.#viewsOf(await this.#parts.store.rules(projectsOf(caller, wanted)));
  }

  async create(
    projectId: number,
    wish: z.output<typeof CreateAlertRule>,
    by: By,
  ): Promise<AlertRule> {
    const { store, now } = this.#parts;
    const { name, scope, condition, cooldown_s } = wish;
    await this.#check(projectId, wish);
    const row = await store.addRule({
      ...{ project_id: projectId, name, cooldown_s },
      enabled: wish.enabled ? 1 : 0,
      scope: JSON.stringify(scope),
      condition: JSON.stringify(condition),
      notify_recovered: wish.notify_recovered ? 1 : 0,
      target_ids: JSON.stringify([...new Set(wish.target_ids)]),
      ...{ version: 1, since: now(), created_at: now() },
      created_by_name: by.caller.userName,
    });
    await this.#changed(row, by, "alert-rule-created", { name, condition, scope });
    return this.#viewOf(row);
  }

  async update(row: RuleRow, wish: z.output<typeof UpdateAlertRule>, by: By): Promise<AlertRule> {
    const { store, now, tell } = this.#parts;
    await this.#check(row.project_id, wish);
    const isOther =
      differs(wish.scope, row.scope) ||
      differs(wish.condition, row.condition) ||
      (wish.enabled !== undefined && wish.enabled !== (row.enabled === 1));
    const restart = isOther ? { version: row.version + 1, since: now() } : {};
    const { name, cooldown_s } = wish;
    const why = wish.enabled === false ? "rule-switched-off" : "rule-changed";
    const { rule: changed, closed } = await store.updateRule(
      row.id,
      {
        ...{ ...(name === undefined ? {} : { name }), ...restart, id: row.id },
        ...(cooldown_s === undefined ? {} : { cooldown_s }),
        ...(wish.enabled === undefined ? {} : { enabled: wish.enabled ? 1 : 0 }),
        ...(wish.scope === undefined ? {} : { scope: JSON.stringify(wish.scope) }),
        ...(wish.condition === undefined ? {} : { condition: JSON.stringify(wish.condition) }),
        ...(wish.notify_recovered === undefined
          ? {}
          : { notify_recovered: wish.notify_recovered ? 1 : 0 }),
        ...(wish.target_ids === undefined
          ? {}
          : { target_ids: JSON.stringify([...new Set(wish.target_ids)]) }),
      },
      isOther ? { at: now(), why } : null,
    );
    if (changed === undefined) throw ruleNotFound();
    tell(closed);
    await this.#changed(changed, by, "alert-rule-changed", { ...wish });
    return this.#viewOf(changed);
  }

  async remove(row: RuleRow, by: By): Promise<void> {
    const { store, now, tell } = this.#parts;
    tell(await store.removeRule(row.id, { at: now(), why: "rule-removed" }));
    await this.#changed(row, by, "alert-rule-removed", { name: row.name });
  }

  async #viewsOf(rows: readonly RuleRow[]): Promise<AlertRule[]> {
    if (rows.length === 0) return [];
    const { store } = this.#parts;
    const facts = await store.ruleFacts(rows.map(({ id }) => id));
    const targets = await store.targets([...new Set(rows.map(({ project_id }) => project_id))]);
    const known = new Set(targets.map(({ id }) => id));
    return rows.map((row) => toRule(row, facts.get(row.id), known));
  }

  async #viewOf(row: RuleRow): Promise<AlertRule> {
    const [view] = await this.#viewsOf([row]);
    if (view === undefined) throw ruleNotFound();
    return view;
  }

  async #check(
    projectId: number,
    { scope, condition, target_ids = [] }: z.output<typeof UpdateAlertRule>,
  ): Promise<void> {
    const { store, runs } = this.#parts;
    if (condition !== undefined) checkCondition(condition);
    if (scope !== undefined && scope.run_id !== null) {
      const run = await runs.find(scope.run_id);
      // A run of another project counts as not there.
      if (run?.project_id !== projectId)
        throw new SpotterError("run-not-found", `The project has no run ${scope.run_id}.`);
    }
    const known = new Set((await store.targets([projectId])).map(({ id }) => id));
    const unknown = target_ids.find((id) => !known.has(id));
    if (unknown !== undefined) throw targetNotFound(unknown);
  }

  async #changed(
    row: RuleRow,
    { caller, address }: By,
    action: string,
    details: NonNullable<Parameters<AuditRecorder["record"]>[0]["details"]>,
  ): Promise<void> {
    await this.#parts.audit.record({
      ...{ userId: caller.userId, userName: caller.userName, address, action, details },
      ...{ subjectKind: "alert-rule", subjectId: row.id, projectId: row.project_id },
    });
    await this.#parts.rulesChanged();
  }
}

function differs(wanted: unknown, stored: string): boolean {
  return wanted !== undefined && JSON.stringify(wanted) !== stored;
}

/** What the schema cannot say: back must lie on the other side of the bound. */
function checkCondition(condition: AlertCondition): void {
  if (condition.kind !== "metric" || condition.recover_value === null) return;
  const { comparison, value, recover_value: back } = condition;
  const isUpper = comparison === "above" || comparison === "at-least";
  if (isUpper ? back <= value : back >= value) return;
  const message = `must be ${isUpper ? "at most" : "at least"} ${value}, or the rule would recover while it fires`;
  throw invalidRequest([{ path: "body.condition.recover_value", message }]);
}
