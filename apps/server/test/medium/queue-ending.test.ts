// A training whose result stands while its processes still end: it holds its part of the machine, and the queue says so.
import { getQueue } from "@spotter/contract";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startFakeTraining } from "../fake-training.ts";
import { startTestServer, type TestServer } from "../harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

it("shows it as ending until its process is gone", async () => {
  const training = await startFakeTraining(server);
  await training.send([{ type: "run-started", time: 1 }]);
  const view = async () => {
    const { running, ending } = await server.client.call(getQueue, {});
    return [running, ending].map((entries) => entries.map(({ job_id: id }) => id));
  };
  expect(await view()).toEqual([[training.id], []]);
  await training.finish();
  expect(await view()).toEqual([[], [training.id]]);
  const [entry] = (await server.client.call(getQueue, {})).ending;
  expect(entry).toMatchObject({ state: "finished", ends_at: null, may: { cancel: false } });
  const exit = { exit_code: 0, signal: null, out_of_memory: false, reason: null, message: null };
  await training.send([{ type: "attempt-ended", time: 9, exit }], "supervisor");
  expect(await view()).toEqual([[], []]);
});
