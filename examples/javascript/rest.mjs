// Reads runs and metrics over REST: the newest runs, a run's series, every point of one.
//   SPOTTER_URL=http://127.0.0.1:8888 SPOTTER_TOKEN=... node rest.mjs [run number] [metric]
const server = process.env.SPOTTER_URL ?? "http://127.0.0.1:8888";
const [runId, name] = process.argv.slice(2);

if (name !== undefined) {
  for await (const [step, value] of points(runId, name)) console.log(step, value);
} else if (runId !== undefined) {
  const { nodes } = await get(`/api/runs/${runId}/metrics/names`, { flat: "true" });
  for (const { path, last_value } of nodes) console.log(path, last_value);
} else {
  const { runs } = await get("/api/runs", { limit: 20 });
  for (const { id, state, name } of runs) console.log(id, state, name);
}

/** All points, page after page. NaN and the infinities come as their names. */
async function* points(runId, name) {
  for (let offset = 0; offset !== null; ) {
    const page = await get(`/api/runs/${runId}/metrics/points`, { name, offset });
    for (const [index, step] of page.step.entries()) yield [step, Number(page.value[index])];
    offset = page.next_offset;
  }
}

async function get(path, query) {
  const response = await fetch(`${server}${path}?${new URLSearchParams(query)}`, {
    headers: { authorization: `Bearer ${process.env.SPOTTER_TOKEN}` },
  });
  const answer = await response.json();
  if (response.ok) return answer;
  // Every failure has the same shape: a code for programs, a sentence for people.
  console.error(`${answer.error.code}: ${answer.error.message}`);
  process.exit(1);
}
