// One run with 100,000 metric names, as per-layer logging makes them: `npm run seed -- many-names [names]`.
import { openSession, SeedRun } from "./session/session.ts";

const total = Number(process.argv[2] ?? 100_000);
const perBatch = 2000;
const client = await openSession();
const run = await SeedRun.open(client, "many-names", { tags: ["seed"] });
const now = Date.now() / 1000;

for (let from = 0; from < total; from += perBatch) {
  const series: Record<string, { step: number[]; time: number[]; value: number[] }> = {};
  for (let index = from; index < Math.min(total, from + perBatch); index += 1) {
    const name = `layers/block-${Math.floor(index / 100)}/unit-${index % 100}/activation`;
    series[name] = {
      step: [1, 2, 3],
      time: [now, now + 1, now + 2],
      value: [index, index / 2, index / 3],
    };
  }
  await run.points(series);
}
await run.end();
console.log(`Run ${run.run.id} has ${total} metric names.`);
