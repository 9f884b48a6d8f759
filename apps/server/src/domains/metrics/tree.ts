// The tree of metric names with what stands last in each series, one page at a time.
import { encodeMetricValue, type MetricNode, type MetricTree } from "@spotter/contract";
import { readTail, type TailStretch } from "./chunk-reader.ts";
import { findLast, lastOfTail, newer, rememberedLast } from "./last-point.ts";
import type { NamesStore, NodeRow } from "./names-store.ts";
import type { MetricsStore, SeriesRow, StreamRow } from "./store.ts";

export interface TreeRequest {
  readonly prefix: string;
  /** Flat list of names that hold this text. */
  readonly search: string | undefined;
  readonly after: string;
  readonly limit: number;
  readonly isFlat: boolean;
}

/** Call inside `store.consistently`. */
export async function readTree(
  store: MetricsStore,
  names: NamesStore,
  stream: StreamRow,
  request: TreeRequest,
  cutOf: (attempt: number) => number,
): Promise<MetricTree> {
  const rows = await readRows(names, stream.run_id, request);
  const page = rows.slice(0, request.limit);
  const series = page.filter((row) => !row.path.endsWith("/"));
  const range = { after: stream.sealed_commit_no, to: stream.commit_no };
  const wanted = new Set(series.map((row) => row.series_id));
  const tail =
    wanted.size > 0 ? readTail(await store.tail(stream.run_id, range), wanted) : new Map();
  const nodes: MetricNode[] = [];
  for (const row of page)
    nodes.push(
      row.path.endsWith("/")
        ? toGroup(row)
        : await toLeaf(store, stream.run_id, row, tail.get(row.series_id) ?? [], cutOf),
    );
  return {
    prefix: request.prefix,
    nodes,
    next_after: rows.length > request.limit ? (page.at(-1)?.path ?? null) : null,
    num_series: await names.count(stream.run_id, request.prefix),
  };
}

// One row more than asked tells whether there is a next page.
async function readRows(
  names: NamesStore,
  runId: number,
  { prefix, search, after, limit, isFlat }: TreeRequest,
): Promise<NodeRow[]> {
  const page = { prefix, after, limit: limit + 1 };
  if (search === undefined && !isFlat) return names.level(runId, page);
  const rows =
    search === undefined ? await names.flat(runId, page) : await names.search(runId, search, page);
  return rows.map((row) => ({ ...row, path: row.name, num_series: 1 }));
}

function toGroup({ path, num_series }: NodeRow): MetricNode {
  return {
    path,
    kind: "group",
    num_series: Number(num_series),
    num_points: null,
    last_step: null,
    last_value: null,
  };
}

async function toLeaf(
  store: MetricsStore,
  runId: number,
  row: SeriesRow,
  tail: readonly TailStretch[],
  cutOf: (attempt: number) => number,
): Promise<MetricNode> {
  const remembered = rememberedLast(row, cutOf);
  const isHidden = remembered === undefined && row.last_attempt !== null;
  const quick = newer(remembered, lastOfTail(tail, cutOf));
  // Only where a later attempt superseded what the row remembers are the chunks asked.
  const found = isHidden
    ? await findLast(store, runId, row, await store.chunks(runId, row.series_id), tail, cutOf)
    : null;
  const inTail = tail.reduce((sum, { points }) => sum + points.step.length, 0);
  return {
    path: row.name,
    kind: "series",
    num_series: 1,
    num_points: row.num_points + inTail,
    last_step: isHidden ? (found?.step ?? null) : (quick?.step ?? null),
    last_value: isHidden
      ? (found?.value ?? null)
      : quick === undefined
        ? null
        : encodeMetricValue(quick.value),
  };
}
