// Server, supervisors and workers are killed at random while a queue of short jobs is worked off; `npm run test:chaos` does
// the same at length. The seed is printed: it repeats who is killed, though not to the millisecond when.
import { expect, it } from "vitest";
import { runChaos } from "./chaos/run-chaos.ts";

const { SPOTTER_CHAOS_SEED, SPOTTER_CHAOS_KILLS, SPOTTER_CHAOS_JOBS } = process.env;
const isLong = SPOTTER_CHAOS_KILLS !== undefined;

it("a queue of jobs survives random kills of server, supervisors and workers", {
  timeout: isLong ? 3 * 3_600_000 : 900_000,
}, async () => {
  const seed = Number(SPOTTER_CHAOS_SEED ?? Date.now() % 1_000_000);
  const report = await runChaos({
    seed,
    kills: Number(SPOTTER_CHAOS_KILLS ?? 20),
    jobs: Number(SPOTTER_CHAOS_JOBS ?? 8),
    pauseMs: isLong ? 3_000 : 2_000,
    lossesPerJob: isLong ? 2 : 1,
    say: (line) => process.stderr.write(`chaos: ${line}\n`),
  });
  const { faults, tally, numAttempts, numFinished } = report;
  process.stderr.write(
    `chaos: seed ${seed}, killed ${JSON.stringify(tally)}, ${numFinished} finished in ${numAttempts} attempts, ${faults.length} faults\n`,
  );
  expect(faults, `seed ${seed}`).toEqual([]);
});
