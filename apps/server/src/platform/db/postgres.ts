// The server database: a pool for everything, and a few lanes on which worker batches are committed in groups.
import { type Driver, Kysely, PostgresDialect } from "kysely";
import type pg from "pg";
import type { AnyTables, Database, PostgresProcedure, ProcedureCall } from "./database.ts";
import { translatePostgresFailure } from "./failures.ts";
import { PostgresIngest, runProcedure } from "./postgres-ingest.ts";

export interface PostgresOptions {
  readonly url: string;
  readonly procedures: Readonly<Record<string, PostgresProcedure>>;
  readonly failAfterCommitOf?: number | null;
  /** Told when a connection breaks, once for all that break until one stands again; the pool makes new ones. */
  readonly onConnectionLost: (error: Error) => void;
  readonly onConnectionBack: () => void;
}

const MAX_CONNECTIONS = 12;
const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_TRANSACTION_MS = 30_000;
const INT8 = 20;
const NUMERIC = 1700;

export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const { procedures, failAfterCommitOf = null } = options;
  // Loaded here and not above: a server on SQLite need not hold it.
  const pool = makePool((await import("pg")).default, options);
  // The first connection is tried here, so that a wrong DATABASE_URL ends the start and not the first request.
  await translated(async () => (await pool.connect()).release());
  const kysely = new Kysely<AnyTables>({ dialect: new TranslatingPostgresDialect({ pool }) });
  const ingest = new PostgresIngest(pool, procedures, failAfterCommitOf);
  return {
    engine: "postgres",
    kysely,
    transaction: (work) =>
      translated(() => kysely.transaction().execute(work), translatePostgresFailure),
    ingest: (batch) => ingest.add(batch),
    call: (call) => translated(() => callInTransaction(pool, procedures, call)),
    read: <Row>(sql: string, parameters: readonly unknown[] = []) =>
      translated(async () => {
        const result = await pool.query(numberPlaceholders(sql), [...parameters]);
        return result.rows as Row[];
      }),
    async close() {
      await ingest.idle();
      await kysely.destroy();
    },
  };
}

function makePool(driver: typeof pg, options: PostgresOptions): pg.Pool {
  const pool = new driver.Pool({
    connectionString: options.url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
    application_name: "spotter",
    types: { getTypeParser: parserOf(driver.types) as typeof pg.types.getTypeParser },
  });
  let isLost = false;
  const lost = (error: Error) => {
    if (!isLost) options.onConnectionLost(error);
    isLost = true;
  };
  pool.on("error", lost);
  pool.on("connect", (client) => {
    if (isLost) options.onConnectionBack();
    isLost = false;
    // A connection that breaks while it is in use fails its query too; without a listener it would end the process.
    client.on("error", lost);
  });
  return pool;
}

// Ids are safe integers, and sums of integers come as numeric: both are numbers here.
function parserOf(types: typeof pg.types) {
  return (oid: number, format?: "text" | "binary") => {
    if (oid === INT8 || oid === NUMERIC) return Number;
    return format === "binary"
      ? types.getTypeParser(oid, "binary")
      : types.getTypeParser(oid, "text");
  };
}

/** Kysely's own dialect, with failures of ours. */
class TranslatingPostgresDialect extends PostgresDialect {
  override createDriver(): Driver {
    const driver = super.createDriver();
    const wrapped = new WeakSet<object>();
    const acquire = driver.acquireConnection.bind(driver);
    driver.acquireConnection = () =>
      translated(async () => {
        const connection = await acquire();
        if (wrapped.has(connection)) return connection;
        wrapped.add(connection);
        const execute = connection.executeQuery.bind(connection);
        connection.executeQuery = (query) => translated(() => execute(query));
        return connection;
      });
    return driver;
  }
}

async function callInTransaction(
  pool: pg.Pool,
  procedures: Readonly<Record<string, PostgresProcedure>>,
  call: ProcedureCall,
): Promise<unknown> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query("begin");
    const result = await runProcedure(client, procedures, call);
    await client.query("commit");
    return result;
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    // After a failure the connection is thrown away, and its transaction with it.
    client.release(failure);
  }
}

const numbered = new Map<string, string>();

/** `?` to `$1`, `$2`, …, outside of quotes. Texts are constants of the code, so the cache stays small. */
function numberPlaceholders(sql: string): string {
  const known = numbered.get(sql);
  if (known !== undefined) return known;
  let last = 0;
  const text = sql.replace(/'(?:[^']|'')*'|"[^"]*"|\?/g, (part) => {
    if (part !== "?") return part;
    last += 1;
    return `$${last}`;
  });
  // Lists with `in (…)` make endless variants.
  if (numbered.size < 2_000) numbered.set(sql, text);
  return text;
}

async function translated<T>(
  work: () => Promise<T>,
  translate: (thrown: unknown) => Error = translatePostgresFailure,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translate(error);
  }
}
