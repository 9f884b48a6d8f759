// Reads of this room's tables; its writes are in procedures.ts, because they run inside the write transaction.
import { sql } from "kysely";
import type { Database } from "../../platform/db/database.ts";
import { unpackDoubles } from "./codec/chunk.ts";
import type { RollupLevel } from "./codec/rollup.ts";
import type { TailRow } from "./sealing.ts";

export interface StreamRow {
  readonly run_id: number;
  readonly commit_no: number;
  /** Batches up to here lie in chunks, later ones in the tail. */
  readonly sealed_commit_no: number;
  readonly num_series: number;
  readonly num_points: number;
  readonly tail_points: number;
  /** Rises whenever points move from one place to another. */
  readonly version: number;
  readonly updated_at: number;
}
export interface AttemptRow {
  readonly attempt: number;
  readonly first_step: number;
}
/** What is sealed of a series; the tail comes on top. */
export interface SeriesRow {
  readonly series_id: number;
  readonly name: string;
  readonly num_points: number;
  readonly last_attempt: number | null;
  readonly last_step: number | null;
  readonly last_time: string | null;
  readonly last_value: string | null;
}
export interface ChunkRow {
  readonly series_id: number;
  readonly first_commit: number;
  readonly last_commit: number;
  readonly attempt: number;
  readonly count: number;
  readonly in_order: number;
  readonly min_step: number;
  readonly max_step: number;
  readonly minTime: number;
  readonly maxTime: number;
  /** Over the finite values; NaN where there is none. */
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly num_nan: number;
  readonly num_pos_inf: number;
  readonly num_neg_inf: number;
}
export interface CommitRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly to: number;
}

const CHUNK_HEADER =
  "series_id, first_commit, last_commit, attempt, count, in_order, min_step, max_step, doubles, num_nan, num_pos_inf, num_neg_inf";
const SERIES = "series_id, name, num_points, last_attempt, last_step, last_time, last_value";
const MAX_TRIES = 4;

export class MetricsStore {
  readonly #database: Database;
  /** Bytes of blobs that were read, for the benches. */
  bytesRead = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  async stream(runId: number): Promise<StreamRow | undefined> {
    const [row] = await this.#database.read<StreamRow>(
      "select * from metric_streams where run_id = ?",
      [runId],
    );
    return row;
  }

  /**
   * Runs reads that must see one state of the run, although each is a statement of its own: sealing may move points
   * between them, and then the version has risen and they run again.
   */
  async consistently<T>(runId: number, read: (stream: StreamRow) => Promise<T>): Promise<T> {
    for (let numTried = 0; numTried < MAX_TRIES; numTried += 1) {
      const before = (await this.stream(runId)) ?? emptyStream(runId);
      const result = await read(before).catch((error: unknown) => {
        if (error instanceof PointsMoved) return error;
        throw error;
      });
      const after = await this.stream(runId);
      if ((after?.version ?? 0) === before.version && !(result instanceof PointsMoved))
        return result;
    }
    // Sealing was quicker every time: hold it off, this once.
    return this.#database.transaction(async (transaction) => {
      await sql`update metric_streams set version = version where run_id = ${runId}`.execute(
        transaction,
      );
      return read((await this.stream(runId)) ?? emptyStream(runId));
    });
  }

  attempts(runId: number): Promise<AttemptRow[]> {
    return this.#database.read(
      "select attempt, first_step from metric_attempts where run_id = ? order by attempt",
      [runId],
    );
  }

  async seriesByName(runId: number, name: string): Promise<SeriesRow | undefined> {
    const [row] = await this.#database.read<SeriesRow>(
      `select ${SERIES} from metric_series where run_id = ? and name = ?`,
      [runId, name],
    );
    return row;
  }

  /** Ids and names of all series, or of those from an id on. */
  seriesNames(runId: number, fromId = 0): Promise<{ series_id: number; name: string }[]> {
    return this.#database.read(
      "select series_id, name from metric_series where run_id = ? and series_id >= ? order by series_id",
      [runId, fromId],
    );
  }

  /** Tail batches of a range, in order. */
  async tail(runId: number, { after, to }: CommitRange): Promise<TailRow[]> {
    const rows = await this.#database.read<TailRow>(
      `select commit_no as "commitNo", attempt, data from metric_batches
       where run_id = ? and commit_no > ? and commit_no <= ? order by commit_no`,
      [runId, after, to],
    );
    for (const row of rows) this.bytesRead += row.data.length;
    return rows;
  }

  /** How many points each tail batch has; all, or those of a range. */
  tailSizes(
    runId: number,
    { after, to }: CommitRange = { after: 0, to: Number.MAX_SAFE_INTEGER },
  ): Promise<{ commit_no: number; num_points: number }[]> {
    return this.#database.read(
      `select commit_no, num_points from metric_batches
       where run_id = ? and commit_no > ? and commit_no <= ? order by commit_no`,
      [runId, after, to],
    );
  }

  async chunks(runId: number, seriesId: number): Promise<ChunkRow[]> {
    const rows = await this.#database.read<StoredChunk>(
      `select ${CHUNK_HEADER} from metric_chunks where run_id = ? and series_id = ? order by first_commit`,
      [runId, seriesId],
    );
    return rows.map(toChunkRow);
  }

  /** Chunks of any series that hold points of these commits. */
  async chunksOfCommits(runId: number, { after, to }: CommitRange): Promise<ChunkRow[]> {
    const rows = await this.#database.read<StoredChunk>(
      `select ${CHUNK_HEADER} from metric_chunks
       where run_id = ? and last_commit > ? and first_commit <= ? order by series_id, first_commit`,
      [runId, after, to],
    );
    return rows.map(toChunkRow);
  }

  /** Series with at least so many chunks of fewer points than `below`. */
  fragmented(runId: number, below: number, least: number): Promise<{ series_id: number }[]> {
    return this.#database.read(
      `select series_id from metric_chunks where run_id = ? and count < ?
       group by series_id having count(*) >= ? order by series_id`,
      [runId, below, least],
    );
  }

  /** The packed rollup of one size; null where the chunk has none. */
  async rollup(runId: number, chunk: ChunkRow, level: RollupLevel): Promise<Uint8Array | null> {
    const [row] = await this.#database.read<{ bytes: Uint8Array | null }>(
      `select rollup_${level} as bytes from metric_chunks where run_id = ? and series_id = ? and first_commit = ?`,
      [runId, chunk.series_id, chunk.first_commit],
    );
    if (row === undefined) throw new PointsMoved();
    this.bytesRead += row.bytes?.length ?? 0;
    return row.bytes;
  }

  /** Packed points of a chunk that is one segment. */
  async chunkData(runId: number, chunk: ChunkRow): Promise<Uint8Array> {
    const [row] = await this.#database.read<{ data: Uint8Array | null }>(
      "select data from metric_chunks where run_id = ? and series_id = ? and first_commit = ?",
      [runId, chunk.series_id, chunk.first_commit],
    );
    if (row?.data === undefined || row.data === null) throw new PointsMoved();
    this.bytesRead += row.data.length;
    return row.data;
  }

  /** Which commits each segment of a longer chunk holds. */
  segmentCommits(
    runId: number,
    chunk: ChunkRow,
  ): Promise<{ segment_no: number; first_commit: number; last_commit: number }[]> {
    return this.#database.read(
      `select segment_no, first_commit, last_commit from metric_segments
       where run_id = ? and series_id = ? and chunk_commit = ? order by segment_no`,
      [runId, chunk.series_id, chunk.first_commit],
    );
  }

  /** Packed segments of a longer chunk, from one to another. */
  async segments(
    runId: number,
    chunk: ChunkRow,
    from: number,
    to: number,
  ): Promise<{ data: Uint8Array }[]> {
    const rows = await this.#database.read<{ data: Uint8Array }>(
      `select data from metric_segments
       where run_id = ? and series_id = ? and chunk_commit = ? and segment_no >= ? and segment_no <= ?
       order by segment_no`,
      [runId, chunk.series_id, chunk.first_commit, from, to],
    );
    if (rows.length !== to - from + 1) throw new PointsMoved();
    for (const row of rows) this.bytesRead += row.data.length;
    return rows;
  }

  /** Runs whose tail should be sealed: idle since `idleSince`, or longer than `tailPoints`. */
  unsealed(idleSince: number, tailPoints: number): Promise<{ run_id: number }[]> {
    return this.#database.read(
      `select run_id from metric_streams where tail_points > 0 and (updated_at < ? or tail_points >= ?)`,
      [idleSince, tailPoints],
    );
  }
}

type StoredChunk = Omit<ChunkRow, keyof ReturnType<typeof unpackDoubles>> & {
  readonly doubles: Uint8Array;
};

function toChunkRow({ doubles, ...row }: StoredChunk): ChunkRow {
  return { ...row, ...unpackDoubles(doubles) };
}

/** A chunk was replaced between two reads. `consistently` reads again. */
export class PointsMoved extends Error {}

function emptyStream(runId: number): StreamRow {
  return {
    run_id: runId,
    commit_no: 0,
    sealed_commit_no: 0,
    num_series: 0,
    num_points: 0,
    tail_points: 0,
    version: 0,
    updated_at: 0,
  };
}
