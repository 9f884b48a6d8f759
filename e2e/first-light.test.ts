// A stranger's first ten minutes: sign in, train real digits with one click, see it live, in both languages.

import { listRunFiles, predictWithRun } from "@spotter/contract";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

describe("the first ten minutes", () => {
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

  it("one click trains a real network on real images, live, to at least 98 % on images it never saw", async () => {
    const { page, problems } = await signedInPage(browser, house);
    await page.getByRole("button", { name: "Skip" }).click();
    await page.getByRole("button", { name: "Train digits" }).click();
    await page.waitForURL(/\/runs\/\d+/);
    const runId = Number(/\/runs\/(\d+)/.exec(page.url())?.[1]);
    // Live: the chart appears while the run goes on, without a reload.
    await page.locator("canvas").first().waitFor();
    await page.getByText("finished").first().waitFor({ timeout: 120_000 });
    const run = await house.untilState(runId, "finished");
    expect(run.metrics["test/accuracy"]).toBeGreaterThanOrEqual(0.98);

    const { files } = await house.client.call(listRunFiles, { params: { run_id: runId } });
    const weights = files.find((file) => file.kind === "weights");
    expect(weights?.path).toMatch(/\.safetensors$/);
    const answer = await house.client.call(predictWithRun, {
      params: { run_id: runId },
      body: { test_samples: 8 },
    });
    expect(answer.sha256).toBe(weights?.sha256);
    expect(answer.test_accuracy).toBe(run.metrics["test/accuracy"]);
    expect(
      answer.predictions.filter(({ label, truth }) => label === truth).length,
    ).toBeGreaterThanOrEqual(7);
    expect(problems).toEqual([]);
  });

  // Chinese, dark and phones: every-page.test.ts.
  it.each([{ locale: "en", theme: "light", width: 1280 }] as const)(
    "every page shows words of one language, fits its width and reports no error ($locale, $theme, $width)",
    async ({ locale, theme, width }) => {
      const { page, problems } = await signedInPage(browser, house, { locale, theme, width });
      for (const path of [
        "/",
        "/runs",
        "/runs/new",
        "/runs/1/charts",
        "/runs/1/config",
        "/runs/1/logs",
        "/runs/1/system",
        "/runs/1/files",
        "/runs/1/control",
        "/datasets",
        "/models",
        "/models/versions",
        "/models/1",
        "/models/1/v/1/card",
        "/models/compare?v=1",
        "/settings/account",
        "/settings/tokens",
        "/settings/people",
        "/settings/system",
        "/settings/audit",
      ]) {
        await page.goto(path);
        // Not waitForFunction: the pages' content policy forbids eval. Charts below the fold stay busy until they are seen.
        const said = () =>
          page.evaluate(() => document.querySelector("main")?.innerText.trim().length ?? 0);
        await until(`${path} says something`, async () => (await said()) > 10, 15_000);
        const { overflow, text } = await page.evaluate(() => ({
          overflow: document.documentElement.scrollWidth - window.innerWidth,
          text: document.body.innerText,
        }));
        expect({ path, overflow: Math.max(0, overflow) }).toEqual({ path, overflow: 0 });
        // A raw key of the words' table looks like `runs.list.title`.
        expect({
          path,
          keys: text.match(
            /\b(?:app|runs|runPage|newRun|metrics|settings|home|datasets|models|auth)\.[a-z][A-Za-z]+(?:\.[a-zA-Z]+)+\b/g,
          ),
        }).toEqual({ path, keys: null });
      }
      expect(problems).toEqual([]);
    },
  );
});
