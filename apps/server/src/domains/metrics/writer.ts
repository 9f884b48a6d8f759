// Prepares what a batch of points wants done in the write transaction, and learns from its result.
import type { ProcedureCall } from "../../platform/db/database.ts";
import { type BatchColumns, encodeBatch, setSeriesId } from "./codec/tail.ts";
import type { IngestPayload, IngestResult } from "./procedures.ts";
import { SeriesIds } from "./series-ids.ts";
import type { ParsedSeries } from "./series-parser.ts";

export interface PlannedIngest {
  readonly parsed: ParsedSeries;
  readonly call: ProcedureCall;
  readonly unknownNames: readonly string[];
}

export class BatchWriter {
  readonly #ids = new SeriesIds();

  /** @param parsed at least one point */
  plan(runId: number, attempt: number, receivedAt: number, parsed: ParsedSeries): PlannedIngest {
    const { names, columns } = parsed;
    const data = encodeBatch(columns);
    const known = this.#ids.idsOf(runId);
    const unknownAt: number[] = [];
    const unknownNames: string[] = [];
    names.forEach((name, index) => {
      const id = known?.get(name);
      if (id !== undefined) setSeriesId(data, index, id);
      else {
        unknownAt.push(index);
        unknownNames.push(name);
      }
    });
    const numPoints = columns.step.length;
    const numKnown = known?.size ?? 0;
    const payload: IngestPayload = {
      ...{ runId, attempt, receivedAt, numPoints, data, numKnown },
      unknownAt: Uint32Array.from(unknownAt),
      unknownNames: JSON.stringify(unknownNames),
    };
    return {
      parsed,
      call: { name: "metrics-ingest", payload, transfer: [data.buffer] },
      unknownNames,
    };
  }

  /** After the commit. */
  learn(runId: number, planned: PlannedIngest, result: IngestResult): void {
    if (planned.unknownNames.length > 0)
      this.#ids.remember(runId, planned.unknownNames, result.ids);
  }
}

/** Several events of one batch as one; a series that is in several stands several times, in order. */
export function joinSeries(parts: readonly ParsedSeries[]): ParsedSeries {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const joined = (column: "step" | "time" | "value"): Float64Array => {
    const total = parts.reduce((sum, part) => sum + part.columns[column].length, 0);
    const all = new Float64Array(total);
    let at = 0;
    for (const part of parts) {
      all.set(part.columns[column], at);
      at += part.columns[column].length;
    }
    return all;
  };
  const columns: BatchColumns = {
    counts: Uint32Array.from(parts.flatMap((part) => [...part.columns.counts])),
    step: joined("step"),
    time: joined("time"),
    value: joined("value"),
  };
  return { names: parts.flatMap((part) => part.names), columns };
}
