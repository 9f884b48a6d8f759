// Hand-written SQL for the ingest path, for both engines: written once with `?`, numbered for PostgreSQL.
import type { Database, Statement } from "./database.ts";

export type StatementMaker = (sql: string, parameters: readonly unknown[]) => Statement;

/**
 * Compiling with Kysely costs tens of microseconds a statement, which the hot path cannot spare; the rewritten text is
 * kept per SQL string instead. Texts must be constants: the cache never forgets.
 */
export function statementMaker(engine: Database["engine"]): StatementMaker {
  if (engine === "sqlite") return (sql, parameters) => ({ sql, parameters });
  const numbered = new Map<string, string>();
  return (sql, parameters) => {
    let text = numbered.get(sql);
    if (text === undefined) {
      let position = 0;
      text = sql.replace(/\?/g, () => `$${++position}`);
      numbered.set(sql, text);
    }
    return { sql: text, parameters: parameters.map(withoutNul) };
  };
}

/** PostgreSQL keeps no NUL inside a text; what a worker tells is stored all the same. */
function withoutNul(value: unknown): unknown {
  return typeof value === "string" && value.includes("\u0000")
    ? value.replaceAll("\u0000", "\ufffd")
    : value;
}
