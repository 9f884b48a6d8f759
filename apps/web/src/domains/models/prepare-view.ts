// A list of versions lives in the address; here it is read, written and turned into the server's question. Pure.
import { type findModelVersions, ModelStage, type QueryInputOf } from "@spotter/contract";

export interface VersionsView {
  q: string;
  tag: string;
  stage: ModelStage | "";
  /** The metric that is shown first and that `min` and `max` bound. */
  metric: string;
  min: string;
  max: string;
  deleted: boolean;
  sort: string;
  direction: "asc" | "desc";
}

export const PAGE_ROWS = 100;
const SORT = /^(id|latency_ms|size|metric:.{1,250})$/;

export function readView(address: Record<string, unknown>): VersionsView {
  const sort = text(address.sort);
  const stage = ModelStage.safeParse(address.stage);
  return {
    q: text(address.q).slice(0, 200),
    tag: text(address.tag).slice(0, 60),
    stage: stage.success ? stage.data : "",
    metric: text(address.metric).slice(0, 250),
    min: bound(address.min),
    max: bound(address.max),
    deleted: address.deleted === "true",
    sort: SORT.test(sort) ? sort : "id",
    direction: address.dir === "asc" ? "asc" : "desc",
  };
}

/** Only what differs from the default, so that addresses stay short. */
export function writeView(view: VersionsView): Record<string, string> {
  const { deleted, sort, direction, ...words } = view;
  const address: Record<string, string> = {};
  for (const [key, value] of Object.entries(words)) if (value !== "") address[key] = value;
  if (deleted) address.deleted = "true";
  if (sort !== "id") address.sort = sort;
  if (direction !== "desc") address.dir = direction;
  return address;
}

export function isFiltered(view: VersionsView): boolean {
  return Object.keys(writeView({ ...view, sort: "id", direction: "desc" })).length > 0;
}

/** The server's question for the rows from `offset` on. */
export function questionOf(
  view: VersionsView,
  offset: number,
): QueryInputOf<typeof findModelVersions> {
  const { q, tag, stage, metric, min, max } = view;
  return {
    ...(q.trim() === "" ? {} : { q: q.trim() }),
    ...(tag === "" ? {} : { tag }),
    ...(stage === "" ? {} : { stage }),
    ...(metric === "" ? {} : { metric }),
    // Bounds are a metric's: without one they bound nothing.
    ...(metric === "" || min === "" ? {} : { min }),
    ...(metric === "" || max === "" ? {} : { max }),
    ...(view.deleted ? { deleted: "true" as const } : {}),
    sort: view.sort,
    direction: view.direction,
    limit: String(PAGE_ROWS),
    offset: String(offset),
  };
}

/** A click on a heading: best first, then the other way round, then the order in which they were made. */
export function sortBy(
  view: VersionsView,
  key: string,
  isLowerBetter: boolean,
): Partial<VersionsView> {
  const first = isLowerBetter ? "asc" : "desc";
  if (view.sort !== key) return { sort: key, direction: first };
  return view.direction === first
    ? { direction: first === "asc" ? "desc" : "asc" }
    : { sort: "id", direction: "desc" };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What is no number is no bound: the server would refuse the whole question. */
function bound(value: unknown): string {
  const trimmed = text(value).trim().slice(0, 40);
  return trimmed !== "" && Number.isFinite(Number(trimmed)) ? trimmed : "";
}
