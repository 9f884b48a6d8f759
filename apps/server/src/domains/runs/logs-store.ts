// All SQL of log lines: numbered by run in the order of arrival, without gaps but for the middle of a very long log.
import type { LogLevel, LogLine, LogLinesEvent } from "@spotter/contract";
import type { Kysely } from "kysely";
import type { z } from "zod";
import type { Database, Statement } from "../../platform/db/database.ts";
import type { StatementMaker } from "../../platform/db/statement.ts";
import { likeText } from "./store.ts";
import type { RunsTables } from "./tables.ts";
import { toLogLine } from "./views.ts";

type Line = z.infer<typeof LogLine>;
type NewLine = z.infer<typeof LogLinesEvent>["lines"][number];

/** SQLite joins at most 500 selects. */
const LINES_A_STATEMENT = 50;
const LEVELS: readonly z.infer<typeof LogLevel>[] = ["debug", "info", "warning", "error"];

/** The casts tell PostgreSQL the types that it cannot infer inside a union; SQLite reads them alike. */
const ONE_LINE = `SELECT id, num_log_lines - CAST(? AS bigint), CAST(? AS bigint),
  CAST(? AS double precision), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS bigint)
  FROM runs WHERE id = ?`;

/** Of a log that has grown beyond what is kept, the line behind the first half; it says how many are gone. */
const SAY_LEFT_OUT = `UPDATE run_logs SET level = 'warning', step = NULL, text = (
    SELECT CAST(num_log_lines - CAST(? AS bigint) AS text) || CAST(? AS text) FROM runs WHERE id = ?)
  WHERE run_id = ? AND line_no = ?
    AND EXISTS (SELECT 1 FROM runs WHERE id = ? AND num_log_lines > CAST(? AS bigint))`;
const LEAVE_OUT = `DELETE FROM run_logs WHERE run_id = ? AND line_no > ?
  AND line_no <= (SELECT num_log_lines - CAST(? AS bigint) FROM runs WHERE id = ?)`;

/** Keeps the first and the last lines: how a run began and how it ended. Each batch removes as many as it brings. */
function leaveOutMiddle(
  statement: StatementMaker,
  runId: number,
  maxLines: number,
): readonly Statement[] {
  const numFirst = Math.floor(maxLines / 2);
  const numLast = maxLines - numFirst - 1;
  const place = numFirst + 1;
  const words = ` lines are left out here: of a run's log ${maxLines} are kept (SPOTTER_MAX_LOG_LINES)`;
  return [
    statement(LEAVE_OUT, [runId, place, numLast, runId]),
    statement(SAY_LEFT_OUT, [maxLines - 1, words, runId, runId, place, runId, maxLines]),
  ];
}

/** For jobs that are no runs (predictions) these change nothing. */
export function logLineStatements(
  statement: StatementMaker,
  runId: number,
  attempt: number,
  lines: readonly NewLine[],
  maxLines: number,
): Statement[] {
  if (lines.length === 0) return [];
  const statements = [
    statement(`UPDATE runs SET num_log_lines = num_log_lines + ? WHERE id = ?`, [
      lines.length,
      runId,
    ]),
  ];
  for (let start = 0; start < lines.length; start += LINES_A_STATEMENT) {
    const chunk = lines.slice(start, start + LINES_A_STATEMENT);
    statements.push(
      statement(
        `INSERT INTO run_logs (run_id, line_no, attempt, time, stream, level, text, step)
         ${chunk.map(() => ONE_LINE).join(" UNION ALL ")}`,
        chunk.flatMap((line, index) => [
          lines.length - 1 - (start + index),
          attempt,
          line.time,
          line.stream,
          line.level,
          // PostgreSQL takes no NUL inside a text.
          line.text.replaceAll("\u0000", "\ufffd"),
          line.step,
          runId,
        ]),
      ),
    );
  }
  statements.push(...leaveOutMiddle(statement, runId, maxLines));
  return statements;
}

export interface LogFilter {
  readonly after: number | null;
  readonly before: number | null;
  readonly level: z.infer<typeof LogLevel> | undefined;
  readonly q: string | undefined;
  readonly limit: number;
}

export class LogsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<RunsTables> {
    return this.#database.kysely.withTables<RunsTables>();
  }

  /** In rising order: those behind `after`, else the last ones, before `before` where given. */
  async lines(runId: number, filter: LogFilter): Promise<Line[]> {
    let query = this.#read.selectFrom("run_logs").selectAll().where("run_id", "=", runId);
    if (filter.after !== null) query = query.where("line_no", ">", filter.after);
    if (filter.before !== null) query = query.where("line_no", "<", filter.before);
    if (filter.level !== undefined)
      query = query.where("level", "in", LEVELS.slice(LEVELS.indexOf(filter.level)));
    if (filter.q !== undefined && filter.q !== "")
      query = query.where((where) =>
        where(
          where.fn<string>("lower", ["text"]),
          "like",
          `%${likeText(filter.q ?? "").toLowerCase()}%`,
        ),
      );
    const rows = await query
      .orderBy("line_no", filter.after === null ? "desc" : "asc")
      .limit(filter.limit)
      .execute();
    if (filter.after === null) rows.reverse();
    return rows.map(toLogLine);
  }
}
