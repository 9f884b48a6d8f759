// One metric point with a known value, followed from an own script's log() down the whole house to the eye.

import { createRun, listPoints, querySeries, sendRunEvents } from "@spotter/contract";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { House } from "./harness/house.ts";
import { RawReader } from "./harness/raw-reader.ts";
import { until } from "./harness/until.ts";

const VALUE = 0.8341;

let house: House;
let browser: Browser;
beforeAll(async () => {
  house = await House.open();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await house.close();
});

it("a point goes from the sender through queue, store and stream onto the page, unchanged", async () => {
  const run = await house.client.call(createRun, { body: { name: "journey" } });
  const reader = new RawReader(house.url, house.token, run.id);
  const { page, problems } = await signedInPage(browser, house);
  await page.goto(`/runs/${run.id}/charts`);
  const time = 1_795_000_000.125;
  const sentAt = performance.now();
  const receipt = await house.client.call(sendRunEvents, {
    params: { run_id: run.id },
    body: {
      protocol: 1,
      attempt: 1,
      seq: 1,
      events: [
        {
          type: "metric-points",
          series: { "train/loss": { step: [1240], time: [time], value: [VALUE] } },
        },
      ],
    },
  });
  expect(receipt).toEqual({ seq: 1, duplicate: false, commit_no: 1 });

  await until("the stream has told of it", () => reader.lastCommit === 1);
  expect(reader.events[0]?.series).toEqual({
    "train/loss": { step: [1240], time: [time], value: [VALUE] },
  });

  const points = await house.client.call(listPoints, {
    params: { run_id: run.id },
    query: { name: "train/loss" },
  });
  expect([points.step, points.time, points.value, points.commit_no]).toEqual([
    [1240],
    [time],
    [VALUE],
    [1],
  ]);
  const { series } = await house.client.call(querySeries, {
    body: { requests: [{ run_id: run.id, names: ["train/loss"] }] },
  });
  expect(series[0]?.buckets.min).toEqual([VALUE]);

  // On the page without a reload: the chart's title shows the last value.
  await page.getByText("0.8341").first().waitFor();
  console.log(`from send to the eye: ${(performance.now() - sentAt).toFixed(0)} ms`);
  expect(problems).toEqual([]);
  await reader.close();
});
