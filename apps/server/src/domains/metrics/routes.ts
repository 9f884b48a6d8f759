// HTTP of stored metrics: names, windows, raw points, CSV and the polling fallback.
import {
  exportSeriesCsv,
  getSeries,
  listMetricNames,
  listPoints,
  pollMetrics,
  querySeries,
} from "@spotter/contract";
import { invalidRequest } from "../../platform/errors.ts";
import type { AccessControl, Router } from "../../platform/route.ts";
import type { RunService } from "../runs/index.ts";
import { csvOf } from "./csv.ts";
import { metricNotFound } from "./errors.ts";
import { NameFilter } from "./series-names.ts";
import type { MetricsService } from "./service.ts";

export interface MetricRouteParts {
  readonly router: Router;
  readonly access: AccessControl;
  readonly runs: RunService;
  readonly service: MetricsService;
}

/** About 100 MB of JSON: what one question may cost the server. */
const MAX_BUCKETS_AN_ANSWER = 1_000_000;

type RunInPath = { readonly params: { readonly run_id: string } };

export function registerMetricRoutes(parts: MetricRouteParts): void {
  bindReads(parts);
  bindQuery(parts);
}

function bindReads({ router, runs, service }: MetricRouteParts): void {
  const projectOf = async ({ params }: RunInPath) =>
    (await runs.require(Number(params.run_id))).project_id;

  router.inProject(listMetricNames, projectOf, ({ params, query }) =>
    service.tree(Number(params.run_id), {
      prefix: query.prefix,
      search: query.q,
      after: query.after ?? "",
      limit: Number(query.limit),
      isFlat: query.flat === "true",
    }),
  );
  router.inProject(getSeries, projectOf, async ({ params, query }) => {
    const [window] = await service.queryWindows(Number(params.run_id), [query.name], {
      x: query.x,
      from: numberOrNull("from", query.from),
      to: numberOrNull("to", query.to),
      maxPoints: Number(query.max_points),
      superseded: query.superseded === "true",
    });
    if (window === undefined) throw metricNotFound(Number(params.run_id), query.name);
    return window;
  });
  router.inProject(listPoints, projectOf, ({ params, query }) =>
    service.listPoints(
      Number(params.run_id),
      query.name,
      Number(query.offset),
      Number(query.limit),
    ),
  );
  router.inProject(exportSeriesCsv, projectOf, async ({ params, query, reply }) => {
    const stream = await csvOf(service, Number(params.run_id), query.name);
    const file = `run-${params.run_id}-${query.name.replace(/[^\w.-]+/g, "-")}.csv`;
    return reply
      .header("content-type", "text/csv; charset=utf-8")
      .header("content-disposition", `attachment; filename="${file}"`)
      .send(stream);
  });
  router.inProject(pollMetrics, projectOf, async ({ params, query }) => {
    const filter = query.metrics === undefined ? undefined : new NameFilter(query.metrics);
    const [after, limit] = [Number(query.commit_no), Number(query.limit)];
    const page = await service.readAfter(Number(params.run_id), after, limit, filter);
    return { events: page.events, commit_no: page.commitNo, more: page.more };
  });
}

function bindQuery({ router, access, runs, service }: MetricRouteParts): void {
  router.signedIn(querySeries, async ({ body, caller }) => {
    for (const runId of new Set(body.requests.map((request) => request.run_id)))
      access.requireRole(caller, (await runs.require(runId)).project_id, "viewer");
    const series = [];
    let numBuckets = 0;
    for (const { run_id, names, x, from, to, max_points, superseded } of body.requests) {
      const request = { x, from, to, maxPoints: max_points, superseded };
      const windows = await service.queryWindows(run_id, names, request);
      series.push(...windows);
      numBuckets += windows.reduce((sum, window) => sum + window.num_buckets, 0);
      if (numBuckets > MAX_BUCKETS_AN_ANSWER)
        throw invalidRequest([
          {
            path: "body.requests",
            message: `the answer would hold more than ${MAX_BUCKETS_AN_ANSWER} buckets; ask for fewer names or points`,
          },
        ]);
    }
    return { series };
  });
}

function numberOrNull(name: string, text: string | undefined): number | null {
  if (text === undefined || text === "") return null;
  const number = Number(text);
  if (!Number.isFinite(number))
    throw invalidRequest([{ path: `query.${name}`, message: "must be a number" }]);
  return number;
}
