// A comparison as an address: `?runs=41,42&base=41&metric=val/loss&value=best&lines=runs`. Defaults are left out. Pure.
import { MAX_COMPARED_RUNS } from "@spotter/contract";

export interface CompareAddress {
  /** Empty for a saved comparison, which knows its runs itself. */
  runs: readonly number[];
  base: number | null;
  metric: string | null;
  value: "last" | "best" | null;
  /** How curves are drawn; null: grouped where seeds repeat. */
  lines: "runs" | "groups" | null;
}

type Query = Readonly<Record<string, unknown>>;

/** What cannot be understood is left out. */
export function readAddress(query: Query): CompareAddress {
  const base = idsOf(query.base)[0] ?? null;
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : null);
  const oneOf = <T extends string>(value: unknown, words: readonly T[]) =>
    words.find((word) => word === value) ?? null;
  return {
    runs: idsOf(query.runs),
    base,
    metric: text(query.metric),
    value: oneOf(query.value, ["last", "best"] as const),
    lines: oneOf(query.lines, ["runs", "groups"] as const),
  };
}

/** Undefined takes a key out of the address. */
export function writeAddress(address: CompareAddress): Record<string, string | undefined> {
  return {
    runs: address.runs.length === 0 ? undefined : address.runs.join(","),
    base: address.base === null ? undefined : String(address.base),
    metric: address.metric ?? undefined,
    value: address.value ?? undefined,
    lines: address.lines ?? undefined,
  };
}

/** What of the address the server is asked by. */
export function viewOf({ base, metric, value }: CompareAddress) {
  return {
    ...(base === null ? {} : { base: String(base) }),
    ...(metric === null ? {} : { metric }),
    ...(value === null ? {} : { value }),
  };
}

/** Each once, as many as one comparison holds. */
function idsOf(text: unknown): number[] {
  const parts = typeof text === "string" ? text.split(",") : [];
  const ids = parts.map(Number).filter((id) => Number.isSafeInteger(id) && id > 0);
  return [...new Set(ids)].slice(0, MAX_COMPARED_RUNS);
}
