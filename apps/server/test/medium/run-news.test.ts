// What a live view is told of a run that says nothing more.
import { createRun, openStream, sendRunEvents } from "@spotter/contract";
import { expect, it, onTestFinished } from "vitest";
import { startTestServer } from "../harness.ts";

it("of a run that falls silent the last values come too, though they are kept a moment after its points", async () => {
  const server = await startTestServer();
  onTestFinished(() => server.close());
  const { id } = await server.client.call(createRun, { body: { name: "falls silent" } });
  const stream = await fetch(`${server.url}${openStream.path}?runs=${id}`, {
    headers: { authorization: `Bearer ${server.token}` },
  });
  expect(stream.status).toBe(200);
  const body = stream.body;
  if (body === null) throw new Error("the stream has no body");
  const series = { "train/loss": { step: [7], time: [1], value: [0.125] } };
  await server.client.call(sendRunEvents, {
    params: { run_id: String(id) },
    body: { protocol: 1, attempt: 1, seq: 1, events: [{ type: "metric-points", series }] as never },
  });
  let told = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    told += chunk;
    if (/"type":"run-changed".*"train\/loss":0\.125/.test(told)) break;
  }
  expect(told).toMatch(/"run-changed"/);
});
