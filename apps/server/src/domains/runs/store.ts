// All SQL of runs, their metric values, files and log lines, the list's own queries left out (`run-list.ts`).
import { ACTIVE_STATES, FINAL_STATES, type JobState, type RunProgress } from "@spotter/contract";
import { type Insertable, type Kysely, sql, type Transaction } from "kysely";
import type { AnyTables, Database } from "../../platform/db/database.ts";
import type { RunFileRow, RunRow, RunsTable, RunsTables } from "./tables.ts";
import { HEADLINE_METRICS, type MetricValues, toMetricValue } from "./views.ts";

const MIRRORED = "(state, reason, started_at, ended_at)";
/** Brings a run's row in step with its job's, inside the transaction that changed the job. */
export const MIRROR_JOB = `UPDATE runs SET ${MIRRORED} =
  (SELECT jobs.state, jobs.reason, jobs.started_at, jobs.ended_at FROM jobs WHERE jobs.id = runs.id)
  WHERE runs.id = ?`;

type JobOfRun = Pick<RunsTable, "id" | "state"> & { readonly current_attempt: number };

export interface MetricSummary {
  readonly name: string;
  readonly lastValue: number;
  readonly lastStep: number | null;
  readonly lastTime: number | null;
}

/** A run whose attempts so far are over and whose next one goes on from the checkpoint of this step. */
export interface GoneBack {
  readonly id: number;
  readonly attempt: number;
  readonly step: number;
  readonly epoch: number | null;
}

/** Rows a statement: SQLite and PostgreSQL both bound the number of parameters. */
const SUMMARIES_A_STATEMENT = 500;
const NUM_HEADLINES = 12;

export class RunsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<RunsTables> {
    return this.#database.kysely.withTables<RunsTables>();
  }

  transaction<T>(work: (transaction: Transaction<AnyTables>) => Promise<T>): Promise<T> {
    return this.#database.transaction(work);
  }

  async insert(transaction: Transaction<AnyTables>, row: Insertable<RunsTable>): Promise<void> {
    await transaction.withTables<RunsTables>().insertInto("runs").values(row).execute();
  }

  run(id: number): Promise<RunRow | undefined> {
    return this.#read.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirst();
  }

  async runs(ids: readonly number[]): Promise<RunRow[]> {
    if (ids.length === 0) return [];
    return this.#read
      .selectFrom("runs")
      .selectAll()
      .where("id", "in", [...ids])
      .execute();
  }

  byClientId(projectId: number, clientId: string): Promise<RunRow | undefined> {
    return this.#read
      .selectFrom("runs")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("client_id", "=", clientId)
      .executeTakeFirst();
  }

  /** All of one look: who commits several at once is seen whole or not at all. */
  byClientIds(projectId: number, clientIds: readonly string[]): Promise<RunRow[]> {
    return this.#read
      .selectFrom("runs")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("client_id", "in", [...clientIds])
      .orderBy("id")
      .execute();
  }

  /** @param projectIds null: any */
  newestActive(
    states: readonly JobState[],
    projectIds: readonly number[] | null,
  ): Promise<RunRow | undefined> {
    let query = this.#read
      .selectFrom("runs")
      .selectAll()
      .where("state", "in", [...states])
      .where("deleted_at", "is", null)
      .orderBy("id", "desc")
      .limit(1);
    if (projectIds !== null) query = query.where("project_id", "in", [...projectIds]);
    return query.executeTakeFirst();
  }

  async update(id: number, change: Partial<Omit<RunRow, "id">>): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await this.updateInside(transaction, id, change);
    });
  }

  async updateInside(
    transaction: Transaction<AnyTables>,
    id: number,
    change: Partial<Omit<RunRow, "id">>,
  ): Promise<void> {
    await transaction
      .withTables<RunsTables>()
      .updateTable("runs")
      .set(change)
      .where("id", "=", id)
      .execute();
  }

  /** Several runs at once, since one scheduler's pass may explain a whole queue. */
  async mirrorJobs(transaction: Transaction<AnyTables>, ids: readonly number[]): Promise<void> {
    const runs = transaction.withTables<RunsTables & { jobs: RunsTable }>();
    for (const id of ids) {
      const job = await runs
        .selectFrom("jobs")
        .select(["state", "reason", "started_at", "ended_at"])
        .where("id", "=", id)
        .executeTakeFirst();
      if (job === undefined) continue;
      await runs.updateTable("runs").set(job).where("id", "=", id).execute();
      // An attempt whose end nobody told has trained until its last word.
      if (job.state !== "running")
        await sql`UPDATE runs SET training_since = NULL,
          trained_s = trained_s + CASE WHEN last_event_at > training_since
            THEN last_event_at - training_since ELSE 0 END
          WHERE id = ${id} AND training_since IS NOT NULL`.execute(transaction);
    }
  }

  /** Runs of a source that have not ended. */
  running(): Promise<RunRow[]> {
    return this.#read
      .selectFrom("runs")
      .selectAll()
      .where("state", "=", "running")
      .where("deleted_at", "is", null)
      .execute();
  }

  openOf(
    source: RunRow["source"],
  ): Promise<Pick<RunRow, "id" | "config" | "created_at" | "last_event_at">[]> {
    return this.#read
      .selectFrom("runs")
      .select(["id", "config", "created_at", "last_event_at"])
      .where("source", "=", source)
      .where("state", "not in", [...FINAL_STATES])
      .where("deleted_at", "is", null)
      .execute();
  }

  // ---- metric values -------------------------------------------------------------------------------------------------

  async recordMetrics(runId: number, summaries: readonly MetricSummary[]): Promise<void> {
    const lastStep = newestStep(summaries);
    for (let start = 0; start < summaries.length; start += SUMMARIES_A_STATEMENT) {
      const rows = summaries.slice(start, start + SUMMARIES_A_STATEMENT).map((summary) => ({
        run_id: runId,
        name: summary.name,
        last_value: Number.isNaN(summary.lastValue) ? null : summary.lastValue,
        last_step: summary.lastStep,
        last_time: summary.lastTime,
      }));
      await this.#database.transaction(async (transaction) => {
        const tables = transaction.withTables<RunsTables>();
        if (start === 0 && lastStep !== null)
          await tables
            .updateTable("runs")
            .set({ last_step: lastStep })
            .where("id", "=", runId)
            .execute();
        await tables
          .insertInto("run_metrics")
          .values(rows)
          .onConflict((conflict) =>
            conflict.columns(["run_id", "name"]).doUpdateSet((set) => ({
              last_value: set.ref("excluded.last_value"),
              last_step: set.ref("excluded.last_step"),
              last_time: set.ref("excluded.last_time"),
            })),
          )
          .execute();
      });
    }
  }

  /** The wanted values of these runs; where none is wanted, the headlines, or a run's first few names instead. */
  async metricsOf(
    runIds: readonly number[],
    wanted: readonly string[] | null,
  ): Promise<Map<number, MetricValues>> {
    const values = new Map<number, MetricValues>(runIds.map((id) => [id, {}]));
    if (runIds.length === 0) return values;
    const names = wanted ?? HEADLINE_METRICS;
    if (names.length > 0)
      fill(
        values,
        await this.#read
          .selectFrom("run_metrics")
          .select(["run_id", "name", "last_value"])
          .where("run_id", "in", [...runIds])
          .where("name", "in", [...names])
          .execute(),
      );
    if (wanted === null) await this.#fillBare(values);
    return values;
  }

  /** Own scripts and TensorBoard folders name their metrics as they like. */
  async #fillBare(values: Map<number, MetricValues>): Promise<void> {
    const bare = [...values].filter(([, metrics]) => Object.keys(metrics).length === 0);
    const [first, ...rest] = bare.map(([id]) =>
      this.#read
        .selectFrom((from) =>
          from
            .selectFrom("run_metrics")
            .select(["run_id", "name", "last_value"])
            .where("run_id", "=", id)
            .orderBy("name")
            .limit(NUM_HEADLINES)
            .as("first_names"),
        )
        .selectAll(),
    );
    if (first === undefined) return;
    fill(values, await rest.reduce((all, query) => all.unionAll(query), first).execute());
  }

  /** @param projectIds null: every project */
  async metricNames(
    projectIds: readonly number[] | null,
    q: string | undefined,
    limit: number,
  ): Promise<string[]> {
    if (projectIds?.length === 0) return [];
    let query = this.#read.selectFrom("run_metrics").select("run_metrics.name").distinct();
    if (projectIds !== null)
      query = query
        .innerJoin("runs", "runs.id", "run_metrics.run_id")
        .where("runs.project_id", "in", [...projectIds]);
    if (q !== undefined && q !== "")
      query = query.where("run_metrics.name", "like", `%${likeText(q)}%`);
    const rows = await query.orderBy("run_metrics.name").limit(limit).execute();
    return rows.map(({ name }) => name);
  }

  /**
   * What came after a step is neither the run's last, nor its best, nor how far it is; which one is best again only the
   * checkpoint knows. @returns false when another attempt has begun meanwhile, which tells all this itself
   */
  leaveBehind({ id, attempt, step, epoch }: GoneBack): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<RunsTables & { jobs: JobOfRun }>();
      const job = await tables
        .selectFrom("jobs")
        .select(["state", "current_attempt"])
        .where("id", "=", id)
        .forUpdate()
        .executeTakeFirst();
      if (job?.current_attempt !== attempt || ACTIVE_STATES.includes(job.state)) return false;
      const row = await tables
        .selectFrom("runs")
        .select(["progress", "best"])
        .where("id", "=", id)
        .executeTakeFirstOrThrow();
      await tables
        .updateTable("runs")
        .set({ ...standingAt(row, step, epoch), last_step: step })
        .where("id", "=", id)
        .execute();
      await tables
        .deleteFrom("run_metrics")
        .where("run_id", "=", id)
        .where("last_step", ">", step)
        .execute();
      await tables
        .updateTable("run_files")
        .set({ label: null })
        .where("run_id", "=", id)
        .where("kind", "=", "checkpoint")
        .where("label", "=", "best")
        .where("step", ">", step)
        .execute();
      return true;
    });
  }

  // ---- files ---------------------------------------------------------------------------------------------------------

  files(runId: number): Promise<RunFileRow[]> {
    return this.#read
      .selectFrom("run_files")
      .selectAll()
      .where("run_id", "=", runId)
      .orderBy("id")
      .execute();
  }

  fileByPath(runId: number, path: string): Promise<RunFileRow | undefined> {
    return this.#read
      .selectFrom("run_files")
      .selectAll()
      .where("run_id", "=", runId)
      .where("path", "=", path)
      .executeTakeFirst();
  }

  file(runId: number, fileId: number): Promise<RunFileRow | undefined> {
    return this.#read
      .selectFrom("run_files")
      .selectAll()
      .where("run_id", "=", runId)
      .where("id", "=", fileId)
      .executeTakeFirst();
  }

  /** The newest of a kind that is still there. */
  newestFile(runId: number, kind: RunFileRow["kind"]): Promise<RunFileRow | undefined> {
    return this.#read
      .selectFrom("run_files")
      .selectAll()
      .where("run_id", "=", runId)
      .where("kind", "=", kind)
      .where("removed_at", "is", null)
      .orderBy("step", "desc")
      .orderBy("created_at", "desc")
      .executeTakeFirst();
  }

  async markRemoved(
    transaction: Transaction<AnyTables>,
    runId: number,
    paths: readonly string[],
    at: number,
  ): Promise<void> {
    await transaction
      .withTables<RunsTables>()
      .updateTable("run_files")
      .set({ removed_at: at })
      .where("run_id", "=", runId)
      .where("path", "in", [...paths])
      .where("removed_at", "is", null)
      .execute();
  }

  // ---- purge ---------------------------------------------------------------------------------------------------------

  async deletedBefore(time: number): Promise<number[]> {
    const rows = await this.#read
      .selectFrom("runs")
      .select("id")
      .where("deleted_at", "<", time)
      .orderBy("id")
      .limit(100)
      .execute();
    return rows.map(({ id }) => id);
  }

  async purge(transaction: Transaction<AnyTables>, id: number): Promise<void> {
    const tables = transaction.withTables<RunsTables>();
    for (const table of ["run_logs", "run_files", "run_metrics", "run_forks"] as const)
      await tables.deleteFrom(table).where("run_id", "=", id).execute();
    await tables.deleteFrom("runs").where("id", "=", id).execute();
  }
}

function fill(
  values: Map<number, MetricValues>,
  rows: readonly { run_id: number; name: string; last_value: number | null }[],
): void {
  for (const { run_id: runId, name, last_value: value } of rows) {
    const metrics = values.get(runId);
    if (metrics !== undefined) metrics[name] = toMetricValue(value);
  }
}

function standingAt(
  { progress, best }: Pick<RunRow, "progress" | "best">,
  step: number,
  epoch: number | null,
): Pick<RunRow, "progress" | "best" | "epoch_means"> {
  const told = progress === null ? null : (JSON.parse(progress) as RunProgress);
  const before = best === null ? null : (JSON.parse(best) as { step: number });
  const now =
    told === null
      ? null
      : { ...told, step, epoch: epoch ?? told.epoch, eta_s: null, steps_per_s: null };
  return {
    progress: now === null ? null : JSON.stringify(now),
    best: before === null || before.step > step ? null : best,
    epoch_means: null,
  };
}

/** The columns that runs are found by. */
export function searchable(name: string, note: string, tags: readonly string[]) {
  return {
    name_key: name.toLowerCase(),
    search_text: [name, note, ...tags].join("\n").toLowerCase(),
  };
}

/** Percent signs and underscores are wildcards to LIKE; leaving them out only widens a search. */
export function likeText(text: string): string {
  return text.replaceAll("%", "_").replaceAll("\\", "_");
}

/** The step at which a run is, as its newest point says; the machine's own readings count no steps. */
function newestStep(summaries: readonly MetricSummary[]): number | null {
  const own = summaries.filter(({ name, lastStep }) => lastStep !== null && !isOfMachine(name));
  const byTime = own.toSorted(
    (a, b) => (a.lastTime ?? 0) - (b.lastTime ?? 0) || (a.lastStep ?? 0) - (b.lastStep ?? 0),
  );
  return byTime.at(-1)?.lastStep ?? null;
}

function isOfMachine(name: string): boolean {
  return name.startsWith("system/");
}
