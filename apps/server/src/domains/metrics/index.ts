// The metrics room's door.
export { metricsMigrations as migrations } from "./migrations.ts";
export { metricsPostgresProcedures as postgresProcedures } from "./procedures.ts";
export { Sealer } from "./sealer.ts";
export { performSealing, type SealingEngine, type SealingJob } from "./sealing.ts";
export { checkSeries } from "./series-parser.ts";
export { MetricsService } from "./service.ts";
export { metricsSink } from "./sink.ts";
export { MetricsStore } from "./store.ts";
export { BatchWriter } from "./writer.ts";
