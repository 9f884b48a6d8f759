// 10,000 finished runs with a few metrics each, for the runs list: `npm run seed -- many-runs [count]`.
import { openSession, SeedRun, seededRandom } from "./session/session.ts";

const count = Number(process.argv[2] ?? 10_000);
const names = ["baseline", "augmented", "wide", "long-schedule", "sgd"];
const client = await openSession();
const random = seededRandom(1);
const now = Date.now() / 1000;

async function seedOne(index: number): Promise<void> {
  const kind = names[index % names.length] ?? "baseline";
  const run = await SeedRun.open(client, `${kind}-${index}`, {
    tags: [kind, index % 3 === 0 ? "digits" : "mnist"],
    config: { learning_rate: 10 ** (-4 + 3 * random()), batch_size: 2 ** (4 + (index % 5)) },
  });
  const steps = [0, 100, 200, 300];
  const time = steps.map((step) => now - 3600 + step);
  const final = 0.5 + 0.5 * random();
  await run.points({
    "train/loss": {
      step: steps,
      time,
      value: steps.map((step) => 2.3 * Math.exp((-step / 100) * final)),
    },
    "val/accuracy": {
      step: steps,
      time,
      value: steps.map((step) => final * (1 - Math.exp(-step / 80))),
    },
  });
  await run.end({ "val/accuracy": final });
}

const lanes = 8;
let next = 0;
await Promise.all(
  Array.from({ length: lanes }, async () => {
    for (let index = next++; index < count; index = next++) {
      await seedOne(index);
      if (index % 1000 === 999) console.log(`${index + 1} of ${count} runs`);
    }
  }),
);
console.log(`${count} runs are in.`);
