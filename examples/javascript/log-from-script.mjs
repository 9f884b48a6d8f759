// Logs a training of your own: opens a run, sends its metrics while it goes, and ends it.
//   SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... node log-from-script.mjs
// No packages. Copy the class into your script.
import { setTimeout as delay } from "node:timers/promises";

const server = process.env.SPOTTER_URL ?? "http://127.0.0.1:8888";
const now = () => Date.now() / 1000;

class SpotterRun {
  seq = 0;
  series = {};

  static async open(name, config) {
    const run = new SpotterRun();
    run.id = (await post("/api/runs", { name, config })).id;
    await run.send({ type: "run-started", time: now(), config });
    return run;
  }

  log(step, metrics) {
    for (const [name, value] of Object.entries(metrics)) {
      this.series[name] ??= { step: [], time: [], value: [] };
      this.series[name].step.push(step);
      this.series[name].time.push(now());
      // JSON has no NaN: it travels by name.
      this.series[name].value.push(Number.isFinite(value) ? value : String(value));
    }
  }

  async flush() {
    const { series } = this;
    this.series = {};
    if (Object.keys(series).length > 0) await this.send({ type: "metric-points", series });
  }

  async end(state = "finished") {
    await this.flush();
    await this.send({ type: "run-ended", time: now(), state });
  }

  /** Sends again under the same number until it is stored: the server keeps each once. */
  async send(event) {
    this.seq += 1;
    const batch = { protocol: 1, attempt: 1, seq: this.seq, events: [event] };
    for (;;) {
      try {
        return await post(`/api/runs/${this.id}/events`, batch);
      } catch (error) {
        if (error.status < 500 && error.status !== 429) throw error;
        console.error(`# ${error.message}; trying again`);
      }
      await delay(1000);
    }
  }
}

async function post(path, body) {
  const response = await fetch(server + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${process.env.SPOTTER_TOKEN}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.error.message), { status: response.status });
}

const run = await SpotterRun.open("sine", { steps: 200 });
console.log(`run ${run.id}  ${server}/runs/${run.id}/charts`);
for (let step = 0; step < 200; step += 1) {
  run.log(step, { loss: Math.exp(-step / 50), wave: Math.sin(step / 10) });
  if (step % 20 === 19) await run.flush();
  await delay(5);
}
await run.end();
