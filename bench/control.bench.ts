// Control: how long a person waits until a running training has taken a command up. From just before the request to the
// server until its acknowledgement has come over the live stream; server, supervisor and worker are real, the model is
// small, and all are on this machine. A `set` writes a whole checkpoint first. Warm-up: the first of each is not counted.
// Run by `npm run bench -- control [--rounds 20]`.
import { controlTraining, type LiveValues, type RunCommand } from "@spotter/contract";
import { House } from "../e2e/harness/house.ts";
import { until } from "../e2e/harness/until.ts";
import { numberArgument, percentile, table } from "./metrics/report.ts";

const BAR_MS = 1000;
const ROUNDS = numberArgument("rounds", 20);
type Body = Parameters<typeof give>[1];

const house = await House.open();
let isBelow = false;
try {
  const run = await house.train({ epochs: 100_000, schedule: "constant", keep_checkpoints: 3 });
  await until("it trains", async () => ((await house.run(run.id)).progress?.step ?? 0) > 50);
  const rows: (string | number)[][] = [["what", "n", "p50 ms", "max ms", "bar ms", ""]];
  const rate = (round: number): LiveValues => ({ learning_rate: round % 2 === 0 ? 0.002 : 0.003 });
  const kinds: Record<string, (round: number) => Body> = {
    pause: () => ({ action: "pause" }),
    resume: () => ({ action: "resume" }),
    checkpoint: () => ({ action: "checkpoint" }),
    "set learning_rate": (round) => ({ action: "set", values: rate(round), reason: "a bench" }),
  };
  const times = new Map(Object.keys(kinds).map((kind) => [kind, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const [kind, body] of Object.entries(kinds)) {
      const milliseconds = await give(run.id, body(round));
      if (round > 0) times.get(kind)?.push(milliseconds);
    }
  for (const [kind, measured] of times) {
    const slowest = Math.max(...measured);
    isBelow ||= slowest > BAR_MS;
    const said = slowest > BAR_MS ? "BELOW" : "";
    rows.push([
      ...[kind, measured.length, Math.round(percentile(measured, 50)), Math.round(slowest)],
      ...[BAR_MS, said],
    ]);
  }
  table(rows);
  await house.client.call(controlTraining, { body: { action: "cancel", run_id: run.id } });
  await house.untilState(run.id, "stopped");
} finally {
  await house.close();
}
process.exitCode = isBelow ? 1 : 0;

/** @returns milliseconds until the worker's acknowledgement was on the live stream */
async function give(
  runId: number,
  body: {
    action: "pause" | "resume" | "checkpoint" | "set";
    values?: LiveValues;
    reason?: string;
  },
): Promise<number> {
  const reader = new AbortController();
  const response = await fetch(`${house.url}/api/stream?runs=${runId}&topics=commands`, {
    headers: { authorization: `Bearer ${house.token}` },
    signal: reader.signal,
  });
  if (response.body === null) throw new Error(`the stream answered ${response.status}`);
  const stream = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await stream.read()).value ?? "";
  const started = performance.now();
  const { command } = await house.client.call(controlTraining, {
    body: { ...body, run_id: runId },
  });
  try {
    for (;;) {
      const acked = settled(text).find(({ id }) => id === command?.id);
      if (acked?.state === "done") return performance.now() - started;
      if (acked !== undefined)
        throw new Error(`${body.action} was ${acked.state}: ${acked.message}`);
      const { value, done } = await stream.read();
      if (done) throw new Error("the stream ended");
      text += value;
    }
  } finally {
    reader.abort();
  }
}

function settled(text: string): RunCommand[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data:") && line.includes("command-changed"))
    .flatMap((line) => {
      try {
        return [(JSON.parse(line.slice(5)) as { command: RunCommand }).command];
      } catch {
        // The line is still coming.
        return [];
      }
    })
    .filter(({ state }) => state !== "sent");
}
