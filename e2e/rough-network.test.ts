// Through a line with 300 ms delay, 5 % cut connections and 64 kbit/s: no gap and no repeat.

import { createRun, sendRunEvents } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { House } from "./harness/house.ts";
import { RawReader } from "./harness/raw-reader.ts";
import { RoughProxy } from "./harness/rough-proxy.ts";
import { until } from "./harness/until.ts";

const BATCHES = 120;

describe("a reader on a bad line", () => {
  it("gets every batch once and in order, also when all its connections are cut", async () => {
    const house = await House.open();
    const proxy = await RoughProxy.open(Number(new URL(house.url).port), {
      delayMs: 300,
      cutShare: 0.05,
      bytesPerSecond: 8000,
      seed: 3,
    });
    const run = await house.client.call(createRun, { body: { name: "own script" } });
    const reader = new RawReader(proxy.url, house.token, run.id);
    for (let seq = 1; seq <= BATCHES; seq += 1) {
      await house.client.call(sendRunEvents, {
        params: { run_id: run.id },
        body: {
          protocol: 1,
          attempt: 1,
          seq,
          events: [
            {
              type: "metric-points",
              series: {
                "train/loss": {
                  step: [seq],
                  time: [1_795_000_000 + seq],
                  value: [seq % 7 === 0 ? "NaN" : 1 / seq],
                },
              },
            },
          ],
        },
      });
      if (seq % 40 === 0) {
        await until("something has come through", () => reader.lastCommit > seq - 40);
        proxy.cutAll();
      }
    }
    await until("the last batch has come", () => reader.lastCommit >= BATCHES);
    expect(reader.commitNumbers).toEqual(Array.from({ length: BATCHES }, (_, index) => index + 1));
    expect(reader.connections).toBeGreaterThanOrEqual(3);
    const values = reader.events.map((event) => event.series["train/loss"]?.value[0]);
    expect(values[6]).toBe("NaN");
    expect(values[9]).toBe(1 / 10);
    await reader.close();
    await proxy.close();
    await house.close();
  });
});
