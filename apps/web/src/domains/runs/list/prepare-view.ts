// The list's view lives in the address; here it is read, written and turned into the server's question. Pure.
import { JobState, type listRuns, type QueryInputOf } from "@spotter/contract";

export interface RunsView {
  q: string;
  states: JobState[];
  tag: string;
  archived: boolean;
  sort: string;
  direction: "asc" | "desc";
  /** Columns after number and name, in order. */
  columns: string[];
}

export const DEFAULT_COLUMNS = [
  "progress",
  "best",
  "metric:train/loss",
  "metric:val/accuracy",
  "duration",
  "created_at",
];
export const PLAIN_COLUMNS = [
  "progress",
  "best",
  "duration",
  "created_at",
  "owner",
  "source",
  "tags",
];
const SORT = /^(id|created_at|name|state|duration|metric:.{1,250})$/;

type Address = Record<string, unknown>;

export function readView(address: Address): RunsView {
  const sort = text(address.sort);
  const columns = text(address.cols).split(",").filter(isColumn);
  return {
    q: text(address.q).slice(0, 200),
    states: text(address.state)
      .split(",")
      .filter((state): state is JobState => JobState.safeParse(state).success),
    tag: text(address.tag).slice(0, 60),
    archived: address.archived === "true",
    sort: SORT.test(sort) ? sort : "id",
    direction: address.dir === "asc" ? "asc" : "desc",
    columns: columns.length > 0 ? [...new Set(columns)] : DEFAULT_COLUMNS,
  };
}

/** Only what differs from the default, so that addresses stay short. */
export function writeView(view: RunsView): Record<string, string> {
  const address: Record<string, string> = {};
  if (view.q !== "") address.q = view.q;
  if (view.states.length > 0) address.state = view.states.join(",");
  if (view.tag !== "") address.tag = view.tag;
  if (view.archived) address.archived = "true";
  if (view.sort !== "id") address.sort = view.sort;
  if (view.direction !== "desc") address.dir = view.direction;
  if (view.columns.join(",") !== DEFAULT_COLUMNS.join(",")) address.cols = view.columns.join(",");
  return address;
}

/** The server's question for one page of the view. */
export function questionOf(
  view: RunsView,
  project: { project_id?: string },
  cursor: string | null,
): QueryInputOf<typeof listRuns> {
  const metrics = view.columns
    .filter((column) => column.startsWith("metric:"))
    .map((column) => column.slice("metric:".length));
  return {
    ...project,
    ...(view.q.trim() === "" ? {} : { q: view.q.trim() }),
    ...(view.states.length === 0 ? {} : { state: view.states.join(",") }),
    ...(view.tag === "" ? {} : { tag: view.tag }),
    ...(view.archived ? { archived: "true" as const } : {}),
    ...(metrics.length === 0 ? {} : { metrics: metrics.join(",") }),
    ...(cursor === null ? {} : { cursor }),
    sort: view.sort,
    direction: view.direction,
    limit: "100",
  };
}

/** A click on a heading: first the direction that people want of it, then the other. */
export function sortBy(view: RunsView, sort: string): Pick<RunsView, "sort" | "direction"> {
  if (view.sort === sort) return { sort, direction: view.direction === "asc" ? "desc" : "asc" };
  const rises = sort === "name" || sort === "state" || /loss|error|perplexity/.test(sort);
  return { sort, direction: rises ? "asc" : "desc" };
}

/** Whether something narrows the list. */
export function isFiltered(view: RunsView): boolean {
  return view.q.trim() !== "" || view.states.length > 0 || view.tag !== "" || view.archived;
}

function isColumn(column: string): boolean {
  return PLAIN_COLUMNS.includes(column) || /^metric:.{1,250}$/.test(column);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
