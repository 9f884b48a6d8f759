// A run's family as rows: who began in whom, and which stretch of steps each one trained. Pure.
import type { LineageNode } from "@spotter/contract";

/** A run that another one began in, directly or not. */
export interface Ancestor {
  node: LineageNode;
  /** Where its part of the line ends. */
  untilStep: number;
}

/** Nearest first. A step that an older ancestor forked at bounds everything before it. */
export function ancestorsOf(family: readonly LineageNode[], runId: number): Ancestor[] {
  const byId = new Map(family.map((node) => [node.id, node]));
  const found: Ancestor[] = [];
  let node = byId.get(runId);
  while (node?.fork) {
    const untilStep = node.fork.step;
    node = byId.get(node.fork.parent_id);
    if (node !== undefined) found.push({ node, untilStep });
  }
  return found;
}

export interface LineageRow {
  node: LineageNode;
  /** Generations from the oldest. */
  depth: number;
  /** Steps that it trained itself. */
  from: number;
  to: number;
  /** Row of its parent; null for the oldest. */
  parentRow: number | null;
  /** It began in a run that is not there any more. */
  isOrphan: boolean;
  isOwn: boolean;
  /** On the way from the oldest to the page's own run. */
  isInLine: boolean;
}

export interface LineageChart {
  rows: LineageRow[];
  /** The last step that anybody has reached; at least 1. */
  maxStep: number;
}

/** Each run above its forks, siblings by the step they began at. */
export function lineageChart(family: readonly LineageNode[], runId: number): LineageChart {
  const known = new Set(family.map(({ id }) => id));
  const children = new Map<number, LineageNode[]>();
  const roots: LineageNode[] = [];
  for (const node of family) {
    const parent = node.fork?.parent_id ?? null;
    if (parent === null || !known.has(parent)) roots.push(node);
    else children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  const line = new Set([runId, ...ancestorsOf(family, runId).map(({ node }) => node.id)]);
  const rows: LineageRow[] = [];
  const place = (node: LineageNode, depth: number, parentRow: number | null) => {
    const own = rows.length;
    const from = node.fork?.step ?? 0;
    rows.push({
      ...{ node, depth, from, parentRow },
      to: Math.max(from, node.last_step ?? from),
      isOrphan: node.fork !== null && parentRow === null,
      isOwn: node.id === runId,
      isInLine: line.has(node.id),
    });
    const forks = children.get(node.id) ?? [];
    const ordered = forks.toSorted(
      (a, b) => (a.fork?.step ?? 0) - (b.fork?.step ?? 0) || a.id - b.id,
    );
    for (const fork of ordered) place(fork, depth + 1, own);
  };
  for (const root of roots) place(root, 0, null);
  return { rows, maxStep: Math.max(1, ...rows.map(({ to }) => to)) };
}

/** `learning_rate 0.003 → 0.001, seed 0 → 1` of what a fork changed. */
export function changesText(
  node: LineageNode,
  write: (key: string, value: unknown) => string,
): string {
  return (node.fork?.changes ?? [])
    .map(({ key, from, to }) => `${key} ${write(key, from)} → ${write(key, to)}`)
    .join(", ");
}
