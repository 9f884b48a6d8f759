// Versions side by side: metrics against the first one, what says where they come from, and configs where they differ.
import {
  decodeMetricValue,
  type MetricValue,
  type ModelVersion,
  metricDirection,
} from "@spotter/contract";
import { MISSING } from "../../platform/format/index.ts";
import { configRows } from "../runs/run-page/prepare-config.ts";
import { metricNames } from "./prepare-versions.ts";

export interface MetricCell {
  value: MetricValue | null;
  /** Against the first version; null for the first itself and where one of the two has no number. */
  difference: number | null;
  isBest: boolean;
}
export interface MetricRow {
  name: string;
  cells: MetricCell[];
}
export interface ConfigDifference {
  key: string;
  /** Null where the version's config has no such key. */
  values: (string | null)[];
}

/** Whether less of a metric is better, by its name. */
export function isLowerBetter(name: string): boolean {
  return metricDirection(name) === "lower";
}

/**
 * Metrics that any of the versions has; those of the test set first.
 * @param apart parts of the data that are not the same for all: none is the best there
 */
export function metricRows(
  versions: readonly Pick<ModelVersion, "metrics">[],
  apart: readonly ("test" | "val")[] = [],
): MetricRow[] {
  return metricNames(versions).map((name) => {
    const values = versions.map(({ metrics }) => metrics[name] ?? null);
    const numbers = values.map((value) => (value === null ? Number.NaN : decodeMetricValue(value)));
    const finite = numbers.filter(Number.isFinite);
    const best = isLowerBetter(name) ? Math.min(...finite) : Math.max(...finite);
    // Of a metric whose name says nothing, such as an entropy, nobody knows which end is good.
    const isContest =
      new Set(finite).size > 1 &&
      !apart.some((part) => name.startsWith(`${part}/`)) &&
      metricDirection(name) !== null;
    const base = numbers[0] ?? Number.NaN;
    const cells = numbers.map((number, index) => {
      const difference = index === 0 ? Number.NaN : number - base;
      return {
        value: values[index] ?? null,
        difference: Number.isFinite(difference) ? difference : null,
        isBest: isContest && number === best,
      };
    });
    return { name, cells };
  });
}

/** The keys in which the configs differ, in the first config's order. */
export function configDifferences(
  versions: readonly Pick<ModelVersion, "config">[],
): ConfigDifference[] {
  const configs = versions.map(
    ({ config }) =>
      new Map(configRows(config, {}, () => MISSING).map(({ key, value }) => [key, value])),
  );
  const keys = [...new Set(configs.flatMap((config) => [...config.keys()]))];
  return keys
    .map((key) => ({ key, values: configs.map((config) => config.get(key) ?? null) }))
    .filter(({ values }) => new Set(values).size > 1);
}

/** Ids of versions in an address, each once, as many as fit beside each other. */
export function idsOf(text: unknown): number[] {
  const parts = typeof text === "string" ? text.split(",") : [];
  const ids = parts.map(Number).filter((id) => Number.isSafeInteger(id) && id > 0);
  return [...new Set(ids)].slice(0, MAX_COMPARED);
}
export const MAX_COMPARED = 8;
