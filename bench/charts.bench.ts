// Charts in a real browser against the real server: first paint of a series of 1,000,000 points, and frames a second
// while 60 live charts are scrolled. Run by `npm run bench -- charts`.
//
// Load: series A has 1,000,000 float32 points, sent in batches of 100,000; series B are 60 series of 2,000 points that
// grow by 10 batches a second, one point a series, while the page scrolls by 24 px a frame. Warm-up: the page's code is
// loaded on another tab of the run, so that what is timed is reading, preparing and painting. The server reads series A
// for the first time in the first of the repeats; medians of the repeats are compared with the bars. Reference beside the
// scroll: frames a second of the same page on its Config tab, which has no chart; a busy machine shows there first.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { createRun, type PointColumns, type Run, sendRunEvents } from "@spotter/contract";
import type { Page } from "playwright-core";
import { openBrowser, signedInPage } from "../e2e/harness/browser.ts";
import { House } from "../e2e/harness/house.ts";

const FIRST_PAINT_BAR_MS = 300;
const SCROLL_BAR_FPS = 55;
const NUM_POINTS = 1_000_000;
const NUM_LIVE = 60;
const REPEATS = 5;
const SCROLL_MS = 5_000;

process.env.SPOTTER_BROWSER ??= installedBrowser();
const house = await House.open();
const browser = await openBrowser();
try {
  const { page, problems } = await signedInPage(browser, house, { width: 1440, height: 900 });
  const paints = await benchFirstPaint(page);
  const frames = await benchScroll(page);
  const paint = median(paints);
  const fps = median(frames);
  report(
    "first paint of 1,000,000 points",
    paints,
    "ms",
    FIRST_PAINT_BAR_MS,
    paint <= FIRST_PAINT_BAR_MS,
  );
  report(
    `scroll over ${NUM_LIVE} live charts`,
    frames,
    "fps",
    SCROLL_BAR_FPS,
    fps >= SCROLL_BAR_FPS,
  );
  if (problems.length > 0) console.log(`Errors on the page:\n${problems.join("\n")}`);
  process.exitCode = paint <= FIRST_PAINT_BAR_MS && fps >= SCROLL_BAR_FPS ? 0 : 1;
} finally {
  await browser.close();
  await house.close();
}

/** Milliseconds from the click on the tab to the first canvas with its "N of M points". */
async function benchFirstPaint(page: Page): Promise<number[]> {
  const run = await openRun("a-million");
  for (let from = 0; from < NUM_POINTS; from += 100_000)
    await send(run, from / 100_000 + 1, { "train/loss": noisyLoss(from, 100_000) });
  const times: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    await page.goto(`/runs/${run.id}/config`);
    await page.locator("main textarea").waitFor();
    const elapsed = await page.evaluate(async (href) => {
      const link = document.querySelector<HTMLElement>(`a[href="${href}"]`);
      const start = performance.now();
      link?.click();
      return new Promise<number>((resolve) => {
        const look = () => {
          const text = document.querySelector("[data-chart] .foot")?.textContent ?? "";
          const isPainted = document.querySelector("[data-chart] canvas") !== null;
          if (isPainted && text.includes("1,000,000")) resolve(performance.now() - start);
          else requestAnimationFrame(look);
        };
        look();
      });
    }, `/runs/${run.id}/charts`);
    times.push(elapsed);
  }
  return times;
}

/** Frames a second while the page scrolls up and down and all charts grow. */
async function benchScroll(page: Page): Promise<number[]> {
  const run = await openRun("sixty-live");
  const names = Array.from({ length: NUM_LIVE }, (_, index) => `train/metric_${index}`);
  const series = (from: number, count: number) =>
    Object.fromEntries(names.map((name) => [name, noisyLoss(from, count)]));
  await send(run, 1, series(0, 2000));
  let seq = 1;
  let isOver = false;
  const feeding = (async () => {
    while (!isOver) {
      seq++;
      await send(run, seq, series(2000 + seq, 1));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  const rates: number[] = [];
  await page.goto(`/runs/${run.id}/config`);
  await page.locator("main textarea").waitFor();
  console.log(
    `reference without charts: ${(await page.evaluate(scroll, SCROLL_MS)).toFixed(0)} fps`,
  );
  await page.goto(`/runs/${run.id}/charts`);
  await page.locator("[data-chart] canvas").first().waitFor();
  for (let repeat = 0; repeat < REPEATS; repeat++)
    rates.push(await page.evaluate(scroll, SCROLL_MS));
  isOver = true;
  await feeding;
  return rates;
}

/** Runs in the page. */
async function scroll(durationMs: number): Promise<number> {
  const start = performance.now();
  let frames = 0;
  let step = 24;
  return new Promise((resolve) => {
    const frame = () => {
      frames++;
      scrollBy(0, step);
      const root = document.documentElement;
      if (scrollY + innerHeight >= root.scrollHeight - 1) step = -24;
      else if (scrollY <= 0) step = 24;
      const elapsed = performance.now() - start;
      if (elapsed < durationMs) requestAnimationFrame(frame);
      else resolve((frames * 1000) / elapsed);
    };
    requestAnimationFrame(frame);
  });
}

function openRun(name: string): Promise<Run> {
  return house.client.call(createRun, { body: { name } });
}

async function send(run: Run, seq: number, series: Record<string, PointColumns>): Promise<void> {
  await house.client.call(sendRunEvents, {
    params: { run_id: run.id },
    body: { protocol: 1, attempt: 1, seq, events: [{ type: "metric-points", series }] },
  });
}

function noisyLoss(from: number, count: number): PointColumns {
  const step = Array.from({ length: count }, (_, index) => from + index);
  const now = Date.now() / 1000 - NUM_POINTS * 0.01;
  return {
    step,
    time: step.map((at) => now + at * 0.01),
    value: step.map((at) => Math.fround(2 * Math.exp(-at / 200_000) + 0.1 * Math.random())),
  };
}

function report(what: string, values: number[], unit: string, bar: number, isMet: boolean): void {
  const listed = values.map((value) => value.toFixed(0)).join(", ");
  console.log(
    `${isMet ? "met  " : "below"} ${what}: median ${median(values).toFixed(0)} ${unit} (${listed}), bar ${bar} ${unit}`,
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function installedBrowser(): string {
  const names = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser"];
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((file) => existsSync(file));
  if (found === undefined)
    throw new Error("No Chrome or Chromium on the path; set SPOTTER_BROWSER");
  return found;
}
