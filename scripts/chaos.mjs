// `npm run test:chaos [-- --seed N] [--kills N] [--jobs N]`: the whole-house survival tests at length. By default 200 random
// kills over 30 jobs, a network that is cut for a real minute, and a worker that hangs and is asked first. Prints its seed;
// the same seed throws the same dice again.
import "./require-node.cjs";
import { parseArgs } from "node:util";
import { ensureReady } from "./bootstrap/ready.mjs";
import { endWith, say } from "./bootstrap/say.mjs";
import { runVitest, tally } from "./test/runners.mjs";

const tests = ["e2e/chaos.test.ts", "e2e/network-cut.test.ts", "e2e/stubborn-worker.test.ts"];
const usage = "Usage: npm run test:chaos -- [--seed N] [--kills N] [--jobs N]";
const numbers = readNumbers();

try {
  await ensureReady({ dev: true });
} catch (error) {
  endWith(error);
}
say(`chaos: seed ${numbers.seed}, ${numbers.kills} kills, ${numbers.jobs} jobs`);
const result = await runVitest("whole", tests, {
  ...process.env,
  NODE_ENV: "test",
  SPOTTER_CHAOS_SEED: String(numbers.seed),
  SPOTTER_CHAOS_KILLS: String(numbers.kills),
  SPOTTER_CHAOS_JOBS: String(numbers.jobs),
});
say(
  `\n${tally(result)}; to repeat: npm run test:chaos -- --seed ${numbers.seed} --kills ${numbers.kills} --jobs ${numbers.jobs}`,
);
process.exitCode = result.failed > 0 ? 1 : 0;

function readNumbers() {
  const defaults = { seed: Date.now() % 1_000_000, kills: 200, jobs: 30 };
  const options = { seed: { type: "string" }, kills: { type: "string" }, jobs: { type: "string" } };
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    refuse(error.message);
  }
  for (const [name, text] of Object.entries(values)) {
    if (!/^[0-9]{1,9}$/.test(text)) refuse(`--${name} must be a whole number; it is "${text}".`);
    defaults[name] = Number(text);
  }
  return defaults;
}

function refuse(why) {
  say(`${why}\n${usage}`);
  process.exit(2);
}
