// The writes of this room that run inside the database's write transaction. Each is written once, as a generator that
// asks for one statement at a time; SQLite answers at once in the write thread, PostgreSQL after a round trip.
import type {
  PostgresProcedure,
  SqliteProcedure,
  SqliteWriter,
} from "../../platform/db/database.ts";
import { statementMaker } from "../../platform/db/statement.ts";
import { type EncodedChunk, packDoubles } from "./codec/chunk.ts";
import { setSeriesId } from "./codec/tail.ts";

type Row = Record<string, unknown>;
interface Ask {
  readonly sql: string;
  /** Where PostgreSQL must be asked in other words. */
  readonly postgresSql?: string;
  readonly parameters: readonly unknown[];
}
/** Yields statements with `?`; gets the rows of each. */
type Work<T> = Generator<Ask, T, Row[]>;

export interface IngestPayload {
  readonly runId: number;
  readonly attempt: number;
  readonly receivedAt: number;
  readonly numPoints: number;
  /** A tail batch (`codec/tail.ts`), with the series ids that the sender knows. */
  readonly data: Uint8Array;
  /** How many series of the run it knows. */
  readonly numKnown: number;
  /** Places in the batch of the series whose ids it did not know, and their names. */
  readonly unknownAt: Uint32Array;
  /** A JSON list as one text: a thousand texts take ten times as long to move, and ten times as long to bind. */
  readonly unknownNames: string;
}
export interface IngestResult {
  readonly commitNo: number;
  readonly tailPoints: number;
  /** Ids of the unknown names, in their order. */
  readonly ids: Uint32Array;
}
export interface AttemptPayload {
  readonly runId: number;
  readonly attempt: number;
  readonly firstStep: number;
}
export interface SealPayload {
  readonly runId: number;
  /** The tail's end when it was read, and how far it was turned into chunks. */
  readonly fromCommit: number;
  readonly toCommit: number;
  readonly numPoints: number;
  readonly chunks: readonly EncodedChunk[];
}
export interface MergePayload {
  readonly runId: number;
  readonly replaced: readonly { readonly seriesId: number; readonly firstCommit: number }[];
  readonly chunks: readonly EncodedChunk[];
}
export interface PrunePayload {
  readonly runId: number;
  /** Chunks that end before this time go. */
  readonly before: number;
}

const work = {
  "metrics-ingest": ingest,
  "metrics-attempt": startAttempt,
  "metrics-cut": cut,
  "metrics-seal": seal,
  "metrics-merge": merge,
  "metrics-prune": prune,
  "metrics-purge": purge,
};
type Name = keyof typeof work;

export const metricsSqliteProcedures = Object.fromEntries(
  Object.entries(work).map(([name, run]) => [
    name,
    forSqlite(run as (payload: never) => Work<unknown>),
  ]),
) as Record<Name, SqliteProcedure>;
export const metricsPostgresProcedures = Object.fromEntries(
  Object.entries(work).map(([name, run]) => [
    name,
    forPostgres(run as (payload: never) => Work<unknown>),
  ]),
) as Record<Name, PostgresProcedure>;

// ---- ingest ---------------------------------------------------------------------------------------------------------

function* ingest(payload: IngestPayload): Work<IngestResult> {
  const { runId, attempt, receivedAt, numPoints, data, unknownAt, numKnown } = payload;
  // The row's lock orders batches of one run on PostgreSQL, so commit numbers rise in the order of the commits.
  const [stream] = yield ask(
    `insert into metric_streams as stream
       (run_id, commit_no, sealed_commit_no, num_series, num_points, tail_points, version, updated_at)
     values (?, 1, 0, 0, ?, ?, 0, ?)
     on conflict (run_id) do update set
       commit_no = stream.commit_no + 1,
       num_points = stream.num_points + excluded.num_points,
       tail_points = stream.tail_points + excluded.tail_points,
       updated_at = excluded.updated_at
     returning commit_no, num_series, tail_points`,
    [runId, numPoints, numPoints, receivedAt],
  );
  const { commit_no, num_series, tail_points } = stream as Record<string, number>;
  const ids =
    unknownAt.length === 0
      ? new Uint32Array(0)
      : yield* nameSeries(runId, payload.unknownNames, num_series as number, numKnown);
  unknownAt.forEach((index, at) => {
    setSeriesId(data, index, ids[at] as number);
  });
  yield ask(
    "insert into metric_batches (run_id, commit_no, attempt, num_points, data) values (?, ?, ?, ?, ?)",
    [runId, commit_no, attempt, numPoints, data],
  );
  return { commitNo: commit_no as number, tailPoints: tail_points as number, ids };
}

// Statements of two lengths only, so that the cache of prepared statements stays small.
const NAMES_AT_ONCE = 100;

function* nameSeries(
  runId: number,
  namesText: string,
  numSeries: number,
  numKnown: number,
): Work<Uint32Array> {
  const names = JSON.parse(namesText) as string[];
  const ids = new Map<string, number>();
  // A sender that knows all there are need not be told that these are new.
  for (const group of numKnown === numSeries ? [] : grouped(names)) {
    const found = yield ask(
      `select name, series_id from metric_series where run_id = ? and name in (${marks(group.length)})`,
      [runId, ...group],
    );
    for (const row of found) ids.set(row.name as string, row.series_id as number);
  }
  const made: string[] = [];
  for (const name of names) {
    if (ids.has(name)) continue;
    made.push(name);
    ids.set(name, numSeries + made.length);
  }
  if (made.length > 0) {
    const isAll = made.length === names.length;
    yield insertNames(runId, numSeries, isAll ? namesText : JSON.stringify(made));
    yield ask("update metric_streams set num_series = ? where run_id = ?", [
      numSeries + made.length,
      runId,
    ]);
  }
  return Uint32Array.from(names, (name) => ids.get(name) as number);
}

// One list instead of three values a name: binding those took longer than storing them.
function insertNames(runId: number, numSeries: number, namesText: string): Ask {
  const into = "insert into metric_series (run_id, series_id, name, num_points)";
  return {
    sql: `${into} select ?, ? + key + 1, value, 0 from json_each(?)`,
    postgresSql: `${into} select cast(? as bigint), cast(? as bigint) + place, name, 0
      from json_array_elements_text(cast(? as json)) with ordinality as names (name, place)`,
    parameters: [runId, numSeries, namesText],
  };
}

function grouped(names: readonly string[]): string[][] {
  const groups: string[][] = [];
  let from = 0;
  while (names.length - from >= NAMES_AT_ONCE) {
    groups.push(names.slice(from, from + NAMES_AT_ONCE));
    from += NAMES_AT_ONCE;
  }
  for (const name of names.slice(from)) groups.push([name]);
  return groups;
}

function* startAttempt({ runId, attempt, firstStep }: AttemptPayload): Work<void> {
  yield ask(
    `insert into metric_attempts (run_id, attempt, first_step) values (?, ?, ?)
     on conflict (run_id, attempt) do update set first_step = excluded.first_step`,
    [runId, attempt, firstStep],
  );
}

/** The same for an attempt that has yet to begin: its own word, where it has begun meanwhile, stands above this. */
function* cut({ runId, attempt, firstStep }: AttemptPayload): Work<void> {
  yield ask(
    `insert into metric_attempts (run_id, attempt, first_step) values (?, ?, ?)
     on conflict (run_id, attempt) do nothing`,
    [runId, attempt, firstStep],
  );
}

// ---- sealing --------------------------------------------------------------------------------------------------------

/** @returns false when the tail is no longer what was read: nothing was changed then */
function* seal({ runId, fromCommit, toCommit, numPoints, chunks }: SealPayload): Work<boolean> {
  const moved = yield ask(
    `update metric_streams set sealed_commit_no = ?, tail_points = tail_points - ?, version = version + 1
     where run_id = ? and sealed_commit_no = ? returning run_id`,
    [toCommit, numPoints, runId, fromCommit],
  );
  if (moved.length !== 1) return false;
  yield ask("delete from metric_batches where run_id = ? and commit_no <= ?", [runId, toCommit]);
  for (const chunk of chunks) {
    yield* insertChunk(runId, chunk);
    yield* summarise(runId, chunk);
  }
  return true;
}

function* summarise(runId: number, { seriesId, attempt, sums, last }: EncodedChunk): Work<void> {
  const isNewer =
    "(last_attempt is null or last_attempt < ? or (last_attempt = ? and last_step <= ?))";
  yield ask(
    "update metric_series set num_points = num_points + ? where run_id = ? and series_id = ?",
    [sums.count, runId, seriesId],
  );
  yield ask(
    `update metric_series set last_attempt = ?, last_step = ?, last_time = ?, last_value = ?
     where run_id = ? and series_id = ? and ${isNewer}`,
    // As text: a REAL of SQLite cannot hold NaN, and its driver binds 1e-20 as 0; this form comes back bit for bit.
    [
      attempt,
      last.step,
      String(last.time),
      String(last.value),
      runId,
      seriesId,
      attempt,
      attempt,
      last.step,
    ],
  );
}

/** @returns false when one of the replaced chunks is gone */
function* merge({ runId, replaced, chunks }: MergePayload): Work<boolean> {
  for (const { seriesId, firstCommit } of replaced) {
    const gone = yield ask(
      "delete from metric_chunks where run_id = ? and series_id = ? and first_commit = ? returning run_id",
      [runId, seriesId, firstCommit],
    );
    // The sealer alone replaces chunks, so this is another server on the same database: its result stands.
    if (gone.length !== 1) throw new Error(`A chunk of run ${runId} was replaced by someone else.`);
    yield ask(
      "delete from metric_segments where run_id = ? and series_id = ? and chunk_commit = ?",
      [runId, seriesId, firstCommit],
    );
  }
  for (const chunk of chunks) yield* insertChunk(runId, chunk);
  yield ask("update metric_streams set version = version + 1 where run_id = ?", [runId]);
  return true;
}

const CHUNK_COLUMNS = [
  "run_id, series_id, first_commit, last_commit, attempt, count, in_order, min_step, max_step",
  "max_time, doubles, num_nan, num_pos_inf, num_neg_inf",
  "rollup_2048, rollup_256, rollup_32, data",
].join(", ");

function* insertChunk(runId: number, chunk: EncodedChunk): Work<void> {
  const { seriesId, firstCommit, sums, rollups } = chunk;
  yield ask(`insert into metric_chunks (${CHUNK_COLUMNS}) values (${marks(18)})`, [
    runId,
    seriesId,
    firstCommit,
    chunk.lastCommit,
    chunk.attempt,
    sums.count,
    chunk.isInOrder ? 1 : 0,
    sums.minStep,
    sums.maxStep,
    sums.maxTime,
    packDoubles(sums),
    sums.nan,
    sums.posInf,
    sums.negInf,
    rollups[2],
    rollups[1],
    rollups[0],
    chunk.data,
  ]);
  for (const [index, segment] of chunk.segments.entries())
    yield ask(
      `insert into metric_segments
         (run_id, series_id, chunk_commit, segment_no, first_commit, last_commit, data)
       values (${marks(7)})`,
      [runId, seriesId, firstCommit, index, segment.firstCommit, segment.lastCommit, segment.data],
    );
}

function* prune({ runId, before }: PrunePayload): Work<number> {
  const gone = yield ask(
    "delete from metric_chunks where run_id = ? and max_time < ? returning series_id, first_commit, count",
    [runId, before],
  );
  if (gone.length === 0) return 0;
  for (const { series_id, first_commit, count } of gone) {
    yield ask(
      "delete from metric_segments where run_id = ? and series_id = ? and chunk_commit = ?",
      [runId, series_id, first_commit],
    );
    yield ask(
      "update metric_series set num_points = num_points - ? where run_id = ? and series_id = ?",
      [count, runId, series_id],
    );
  }
  const numPoints = gone.reduce((sum, row) => sum + (row.count as number), 0);
  yield ask(
    "update metric_streams set version = version + 1, num_points = num_points - ? where run_id = ?",
    [numPoints, runId],
  );
  return numPoints;
}

const TABLES = [
  "metric_segments",
  "metric_chunks",
  "metric_batches",
  "metric_series",
  "metric_attempts",
  "metric_streams",
];

function* purge({ runId }: { runId: number }): Work<void> {
  for (const table of TABLES) yield ask(`delete from ${table} where run_id = ?`, [runId]);
}

// ---- one text for two engines ---------------------------------------------------------------------------------------

function ask(sql: string, parameters: readonly unknown[]): Ask {
  return { sql, parameters };
}

function marks(count: number): string {
  return Array.from({ length: count }, () => "?").join(", ");
}

function forSqlite(run: (payload: never) => Work<unknown>): SqliteProcedure {
  return (writer: SqliteWriter, payload) => {
    const steps = run(payload);
    let next = steps.next();
    while (!next.done) next = steps.next(writer.all<Row>(next.value.sql, next.value.parameters));
    return next.value;
  };
}

function forPostgres(run: (payload: never) => Work<unknown>): PostgresProcedure {
  const statement = statementMaker("postgres");
  return async (writer, payload) => {
    const steps = run(payload);
    let next = steps.next();
    while (!next.done) {
      const { postgresSql = next.value.sql } = next.value;
      const { sql, parameters } = statement(postgresSql, next.value.parameters);
      const { rows } = await writer.query<Row>(sql, parameters);
      next = steps.next(rows);
    }
    return next.value;
  };
}
