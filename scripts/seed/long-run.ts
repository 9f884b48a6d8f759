// One run with a million points of a noisy loss, spikes and a NaN stretch among them: `npm run seed -- long-run [points]`.
import { openSession, SeedRun, seededRandom } from "./session/session.ts";

const total = Number(process.argv[2] ?? 1_000_000);
const perBatch = 10_000;
const client = await openSession();
const random = seededRandom(2);
const run = await SeedRun.open(client, "long-run", { tags: ["seed"] });
const start = Date.now() / 1000 - total * 0.05;

for (let from = 0; from < total; from += perBatch) {
  const step = Array.from({ length: Math.min(perBatch, total - from) }, (_, index) => from + index);
  const time = step.map((at) => start + at * 0.05 + random() * 0.01);
  const loss = step.map((at) =>
    Math.fround(2.3 * Math.exp(-at / (total / 5)) + 0.1 * random() + (random() < 1e-5 ? 5 : 0)),
  );
  const rate = step.map((at) => 0.003 * 0.5 * (1 + Math.cos((Math.PI * at) / total)));
  await run.points({
    "train/loss": { step, time, value: loss },
    "train/learning_rate": { step, time, value: rate },
  });
}
await run.end();
console.log(`Run ${run.run.id} has ${total} points in each of two series.`);
