// Prints a run's metrics live over SSE, and goes on behind the last event after a broken connection.
//   SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... node follow-sse.mjs [run number]
// Without a number: the newest active run. No packages. In a page of the same origin, `new EventSource("/api/stream/metrics")`
// does all of this by itself.
import { setTimeout as delay } from "node:timers/promises";

const server = process.env.SPOTTER_URL ?? "http://127.0.0.1:8888";
const runId = process.argv[2];
let lastId = null;

for (;;) {
  try {
    for await (const { id, data } of connect()) {
      lastId = id ?? lastId;
      show(JSON.parse(data));
    }
  } catch (error) {
    if (error.isFinal) {
      console.error(error.message);
      process.exit(1);
    }
    console.error(`# ${error.message}; trying again`);
  }
  await delay(1000);
}

async function* connect() {
  const headers = { authorization: `Bearer ${process.env.SPOTTER_TOKEN}` };
  if (lastId !== null) headers["last-event-id"] = lastId;
  const query = runId === undefined ? "" : `?run_id=${runId}`;
  const response = await fetch(`${server}/api/stream/metrics${query}`, { headers });
  if (!response.ok) {
    const { error } = await response.json();
    const isFinal = response.status < 500 && response.status !== 429;
    throw Object.assign(new Error(`${error.code}: ${error.message}`), { isFinal });
  }
  yield* events(response.body.pipeThrough(new TextDecoderStream()));
}

/** Gives every whole event; a half one at a broken end is dropped. */
async function* events(chunks) {
  let text = "";
  for await (const chunk of chunks) {
    text += chunk.replaceAll("\r", "");
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const field = (name) =>
        lines
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).trimStart());
      const data = field("data").join("\n");
      if (data !== "") yield { id: field("id").at(-1) ?? null, data };
    }
  }
}

function show({ event_type: type, data }) {
  if (type === "metrics_update")
    console.log(`step ${data.step}  loss ${data.train_loss}  left ${data.eta}`);
  else console.log(type);
}
