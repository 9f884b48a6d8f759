// What a followed TensorBoard run becomes on our wire: items of its event files in, numbered batches out, and how they are
// handed over so that a crash at any moment neither loses nor doubles a point. Pure: reading, keeping and sending are the
// caller's, which is the command line or the server. The item types are those of packages/tfevents, by shape.
import type { z } from "zod";
import { encodeMetricValue, type JsonObject } from "./scalars.ts";
import { type EventBatchInput, type PointColumns, PROTOCOL } from "./worker-events.ts";

type Config = z.infer<typeof JsonObject>;
type Events = EventBatchInput["events"];

export type TensorboardItem =
  | { kind: "scalars"; tag: string; step: number[]; time: number[]; value: number[] }
  | { kind: "hparams"; hyperparameters: Config; startTime: number | null }
  | { kind: "session-end"; status: string; endTime: number | null }
  | { kind: "restart"; step: number }
  | { kind: "skipped"; content: string; count: number }
  | { kind: "problem"; file: string; message: string }
  | { kind: "experiment" | "file-reset" };

/** How far a run was sent; plain JSON. */
export interface TensorboardProgress {
  attempt: number;
  next_seq: number;
  /** Whether this attempt's `run-started` is sent. */
  started: boolean;
  ended: boolean;
  first_step: number;
  last_step: number;
  /** Newest time of a point, by the clock of whoever wrote it. */
  last_time: number;
  session: "success" | "failure" | null;
  config: Config | null;
  /** Kinds that are recognised and not stored, with how many were met. */
  skipped: Record<string, number>;
}

/** One followed folder as its follower keeps it, `Cursor` being where its files were read to. */
export interface TensorboardRecord<Cursor> {
  /** Null until the run was made. */
  run_id: number | null;
  cursor: Cursor | null;
  progress: TensorboardProgress;
  /** Written before anything is sent: what a restart has to send again, under the same numbers. */
  pending: {
    batches: EventBatchInput[];
    progress: TensorboardProgress;
    cursor: Cursor | null;
  } | null;
}

export interface TensorboardPorts<Cursor> {
  /** Makes the run, or finds the one that an earlier try made. */
  openRun(): Promise<number>;
  /** Resolves when the record is safe. */
  save(record: TensorboardRecord<Cursor>): Promise<void>;
  /** Resolves when the server has the batch, now or from before. */
  send(runId: number, batch: EventBatchInput): Promise<void>;
}

export function newTensorboardRecord<Cursor>(): TensorboardRecord<Cursor> {
  const progress: TensorboardProgress = {
    attempt: 1,
    next_seq: 1,
    started: false,
    ended: false,
    first_step: 0,
    last_step: 0,
    last_time: 0,
    session: null,
    config: null,
    skipped: {},
  };
  return { run_id: null, cursor: null, progress, pending: null };
}

/**
 * Hands over what was read, and returns the record that holds from then on.
 * @param cursor where the next reading begins
 */
export async function deliverTensorboardItems<Cursor>(
  record: TensorboardRecord<Cursor>,
  items: readonly TensorboardItem[],
  cursor: Cursor | null,
  now: number,
  ports: TensorboardPorts<Cursor>,
): Promise<TensorboardRecord<Cursor>> {
  const { batches, progress } = new RunTranslator(record.progress, now).translate(items);
  return deliver({ ...record, pending: { batches, progress, cursor } }, ports);
}

/** Sends what an earlier follower had begun to send when it ended. */
export async function deliverPending<Cursor>(
  record: TensorboardRecord<Cursor>,
  ports: TensorboardPorts<Cursor>,
): Promise<TensorboardRecord<Cursor>> {
  return record.pending === null ? record : deliver(record, ports);
}

/** Says that the run is over; points that come later begin a new attempt. */
export async function endTensorboardRun<Cursor>(
  record: TensorboardRecord<Cursor>,
  now: number,
  ports: TensorboardPorts<Cursor>,
): Promise<TensorboardRecord<Cursor>> {
  const { started, ended, session, last_time } = record.progress;
  if (!started || ended) return record;
  const translator = new RunTranslator(record.progress, now);
  const state = session === "failure" ? ("failed" as const) : ("finished" as const);
  translator.add({ type: "run-ended", time: last_time || now, state });
  const { batches, progress } = translator.finish();
  const pending = { batches, progress: { ...progress, ended: true }, cursor: record.cursor };
  return deliver({ ...record, pending }, ports);
}

/** Says that somebody still follows the run though nothing new was written: an event without content. */
export async function greetTensorboardRun<Cursor>(
  record: TensorboardRecord<Cursor>,
  now: number,
  ports: TensorboardPorts<Cursor>,
): Promise<TensorboardRecord<Cursor>> {
  const { started, ended } = record.progress;
  if (record.run_id === null || !started || ended) return record;
  const translator = new RunTranslator(record.progress, now);
  translator.add({ type: "log-lines", lines: [] });
  return deliver({ ...record, pending: { ...translator.finish(), cursor: record.cursor } }, ports);
}

/** A session that says it has ended may still write its last metrics, as torch's add_hparams does. */
const QUIET_AFTER_SESSION_END_S = 60;
/** Event files do not say that a training has ended; after this much silence it counts as over, and may go on later. */
export const TENSORBOARD_QUIET_MINUTES = 60;

/**
 * Whether so much time has gone by since anything was heard that the run counts as over.
 * @param quietMinutes of silence; 0: only a session that says so ends a run
 */
export function isQuietTensorboardRun(
  progress: TensorboardProgress,
  heardAt: number,
  now: number,
  quietMinutes: number,
): boolean {
  if (progress.session !== null) return now - heardAt > QUIET_AFTER_SESSION_END_S;
  return quietMinutes > 0 && now - heardAt > 60 * quietMinutes;
}

async function deliver<Cursor>(
  record: TensorboardRecord<Cursor>,
  ports: TensorboardPorts<Cursor>,
): Promise<TensorboardRecord<Cursor>> {
  const { pending } = record;
  if (pending === null) return record;
  let runId = record.run_id;
  if (pending.batches.length > 0) {
    await ports.save(record);
    runId ??= await ports.openRun();
    for (const batch of pending.batches) await ports.send(runId, batch);
  }
  const { progress, cursor } = pending;
  const delivered = { run_id: runId, cursor, progress, pending: null };
  await ports.save(delivered);
  return delivered;
}

/** Turns items into events, and events into one batch for each attempt that they touch. */
class RunTranslator {
  readonly #now: number;
  readonly #progress: TensorboardProgress;
  readonly #batches: EventBatchInput[] = [];
  #events: Events = [];
  #series = new Map<string, PointColumns>();

  constructor(progress: TensorboardProgress, now: number) {
    this.#progress = { ...progress, skipped: { ...progress.skipped } };
    this.#now = now;
  }

  translate(items: readonly TensorboardItem[]) {
    for (const item of items) this.#take(item);
    return this.finish();
  }

  add(event: Events[number]): void {
    this.#events.push(event);
  }

  finish(): { batches: EventBatchInput[]; progress: TensorboardProgress } {
    this.#closeBatch();
    return { batches: this.#batches, progress: this.#progress };
  }

  #take(item: TensorboardItem): void {
    if (item.kind === "scalars") this.#takePoints(item);
    else if (item.kind === "restart") this.#beginAttempt(item.step);
    else if (item.kind === "hparams") this.#takeConfig(item);
    else if (item.kind === "session-end") this.#takeStatus(item.status);
    else if (item.kind === "skipped") this.#takeSkipped(item.content, item.count);
    else if (item.kind === "problem") this.#say("warning", `${item.file}: ${item.message}`);
  }

  #takeConfig({ hyperparameters, startTime }: TensorboardItem & { kind: "hparams" }): void {
    const progress = this.#progress;
    progress.config = { ...progress.config, ...(withoutNonFinite(hyperparameters) as Config) };
    // Told again when they come late; the first step stays the attempt's own.
    progress.started = false;
    this.#start(startTime ?? this.#now);
  }

  #takeStatus(status: string): void {
    this.#progress.session = status === "success" || status === "failure" ? status : null;
  }

  #takePoints({ tag, step, time, value }: TensorboardItem & { kind: "scalars" }): void {
    const progress = this.#progress;
    const times = time.map(wireTime);
    this.#start(times[0] ?? this.#now);
    const columns = this.#columnsOf(metricNameOf(tag));
    // No spread into push: a long column would overflow the stack.
    for (let index = 0; index < step.length; index += 1) {
      columns.step.push(step[index] as number);
      columns.time.push(times[index] as number);
      columns.value.push(encodeMetricValue(value[index] as number));
      progress.last_step = Math.max(progress.last_step, step[index] as number);
      progress.last_time = Math.max(progress.last_time, times[index] as number);
    }
  }

  #columnsOf(name: string): PointColumns {
    const known = this.#series.get(name);
    if (known !== undefined) return known;
    const columns: PointColumns = { step: [], time: [], value: [] };
    this.#series.set(name, columns);
    return columns;
  }

  /** Points after the end begin an attempt behind all steps so far, which supersedes nothing. */
  #start(time: number): void {
    const progress = this.#progress;
    if (progress.ended) this.#beginAttempt(progress.last_step + 1);
    if (progress.started) return;
    progress.started = true;
    const { first_step, config } = progress;
    this.add({ type: "run-started", time: wireTime(time), first_step, config });
  }

  #beginAttempt(step: number): void {
    const progress = this.#progress;
    this.#closeBatch();
    // An attempt of which nothing was sent is still free.
    if (progress.next_seq > 1) {
      progress.attempt += 1;
      progress.next_seq = 1;
    }
    progress.first_step = progress.attempt === 1 ? 0 : Math.max(0, step);
    progress.started = false;
    progress.ended = false;
    progress.session = null;
  }

  #takeSkipped(content: string, count: number): void {
    const { skipped } = this.#progress;
    if (skipped[content] === undefined)
      this.#say(
        "info",
        `The event files hold ${content}, which are recognised and not stored yet.`,
      );
    skipped[content] = (skipped[content] ?? 0) + count;
  }

  #say(level: "info" | "warning", text: string): void {
    // Before the first point there may never be a run, and an ended attempt takes no more events: there, whoever follows
    // tells it in other ways.
    if (this.#progress.ended || !this.#progress.started) return;
    const line = { time: this.#now, stream: "stderr" as const, level, text: text.slice(0, 20_000) };
    this.add({ type: "log-lines", lines: [line] });
  }

  #closeBatch(): void {
    if (this.#series.size > 0)
      this.add({ type: "metric-points", series: Object.fromEntries(this.#series) });
    if (this.#events.length > 0) {
      const { attempt, next_seq: seq } = this.#progress;
      this.#batches.push({ protocol: PROTOCOL, attempt, seq, events: this.#events });
      this.#progress.next_seq += 1;
    }
    this.#events = [];
    this.#series = new Map();
  }
}

/** TensorBoard allows any text as a tag; ours are 1–250 characters without control characters or outer slashes. */
function metricNameOf(tag: string): string {
  const name = tag
    .replace(/\p{Cc}/gu, " ")
    .slice(0, 250)
    .replace(/^\/+|\/+$/g, "");
  return name === "" ? "unnamed" : name;
}

/** A hyperparameter may be NaN or infinite, which JSON cannot say. */
function withoutNonFinite(value: Config[string]): Config[string] {
  if (typeof value === "number") return encodeMetricValue(value);
  if (Array.isArray(value)) return value.map(withoutNonFinite);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutNonFinite(inner)]);
  return Object.fromEntries(entries) as Config;
}

function wireTime(time: number): number {
  return time >= 0 && time <= 1e11 ? time : 0;
}
