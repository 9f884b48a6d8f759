// Entry of the write thread: collects the procedures that rooms wrote for SQLite and serves the main thread.
import { parentPort, workerData } from "node:worker_threads";
// Not through the room's door: this thread needs nothing else of it.
import { metricsSqliteProcedures } from "./domains/metrics/procedures.ts";
import type { SqliteProcedure } from "./platform/db/database.ts";
import type { WriteThreadOptions } from "./platform/db/sqlite-messages.ts";
import { SqliteWriteThread } from "./platform/db/sqlite-write-thread.ts";

const procedures: Record<string, SqliteProcedure> = { ...metricsSqliteProcedures };

if (parentPort === null)
  throw new Error("db-thread.js runs as a worker thread of the server only.");
new SqliteWriteThread(parentPort, workerData as WriteThreadOptions, procedures);
