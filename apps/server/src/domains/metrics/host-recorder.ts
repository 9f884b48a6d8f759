// Stores the host's readings as the series of run 0, which no run ever is, and forgets them after a week.
import type { Bus, BusEvent } from "../../platform/bus.ts";
import type { Database } from "../../platform/db/database.ts";
import type { Log } from "../../platform/log.ts";
import type { IngestResult } from "./procedures.ts";
import type { Sealer } from "./sealer.ts";
import { readSeries } from "./series-parser.ts";
import { BatchWriter } from "./writer.ts";

export const HOST_RUN_ID = 0;
const KEEP_S = 7 * 86_400;
const PRUNE_EVERY_S = 3_600;
/** Readings come each second; so many are written together. */
const READINGS_A_BATCH = 10;

type Reading = Extract<BusEvent, { type: "host-sampled" }>["reading"];

export interface HostRecorderParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly now: () => number;
  readonly sealer: Sealer;
  readonly log: Log;
}

export class HostRecorder {
  readonly #parts: HostRecorderParts;
  readonly #writer = new BatchWriter();
  #readings: Reading[] = [];
  #unsubscribe: (() => void) | undefined;
  #prunedAt = 0;
  #working: Promise<void> = Promise.resolve();

  constructor(parts: HostRecorderParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#unsubscribe = this.#parts.bus.subscribe((event) => {
      if (event.type !== "host-sampled") return;
      this.#readings.push(event.reading);
      if (this.#readings.length >= READINGS_A_BATCH) this.#writeSoon();
    });
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    if (this.#readings.length > 0) this.#writeSoon();
    await this.#working;
  }

  #writeSoon(): void {
    const readings = this.#readings;
    this.#readings = [];
    this.#working = this.#working
      .then(() => this.#write(readings))
      .catch((error: unknown) =>
        this.#parts.log.warn({ error }, "Readings of the host were not stored."),
      );
  }

  async #write(readings: readonly Reading[]): Promise<void> {
    const { database, sealer, now } = this.#parts;
    const planned = this.#writer.plan(HOST_RUN_ID, 1, now(), readSeries(toSeries(readings)));
    const result = (await database.call(planned.call)) as IngestResult;
    this.#writer.learn(HOST_RUN_ID, planned, result);
    sealer.tailGrew(HOST_RUN_ID, result.tailPoints, planned.parsed.names.length);
    if (now() - this.#prunedAt < PRUNE_EVERY_S) return;
    this.#prunedAt = now();
    const payload = { runId: HOST_RUN_ID, before: now() - KEEP_S };
    await database.call({ name: "metrics-prune", payload });
  }
}

/** Step is the second of the reading. */
function toSeries(readings: readonly Reading[]) {
  const series: Record<string, { step: number[]; time: number[]; value: number[] }> = {};
  const add = (name: string, time: number, value: number | null) => {
    if (value === null) return;
    const columns = series[name] ?? { step: [], time: [], value: [] };
    series[name] = columns;
    columns.step.push(Math.floor(time));
    columns.time.push(time);
    columns.value.push(value);
  };
  for (const { time, gpus, ...host } of readings) {
    for (const [name, value] of Object.entries(host)) add(`host/${name}`, time, value);
    for (const { index, name: _name, ...gpu } of gpus)
      for (const [name, value] of Object.entries(gpu)) add(`host/gpu${index}/${name}`, time, value);
  }
  return series;
}
