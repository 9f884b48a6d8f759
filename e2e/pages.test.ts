// The pages as a person meets them on a phone, in Chinese, and while the server is away for a moment.
import { createRun, getMe, sendRunEvents } from "@spotter/contract";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { ADMIN, House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

let house: House;
let browser: Browser;
let runId: number;
beforeAll(async () => {
  house = await House.open();
  browser = await openBrowser();
  const run = await house.client.call(createRun, { body: { name: "own script", tags: ["a"] } });
  runId = run.id;
  const step = Array.from({ length: 500 }, (_, index) => index);
  const time = step.map((at) => 1_795_000_000 + at);
  // One value far above the rest: the chart offers to fit all.
  const value = step.map((at) => (at === 200 ? 900 : Math.exp(-at / 200)));
  await house.client.call(sendRunEvents, {
    params: { run_id: runId },
    body: {
      protocol: 1,
      attempt: 1,
      seq: 1,
      events: [
        { type: "metric-points", series: { "train/loss": { step, time, value } } },
        {
          type: "log-lines",
          lines: [
            { time: 1_795_000_000, stream: "stdout", level: "info", text: "step 200", step: 200 },
          ],
        },
      ],
    },
  });
});
afterAll(async () => {
  await browser.close();
  await house.close();
});

it("the first visit on a phone speaks of nothing that a phone has not", async () => {
  const { page, problems } = await signedInPage(browser, house, { width: 390, height: 844 });
  const note = page.locator("section.note");
  const said: string[] = [];
  await note.waitFor();
  for (let at = 0; at < 4 && (await note.count()) > 0; at += 1) {
    said.push(await note.innerText());
    await note.getByRole("button").last().click();
  }
  expect(said.length).toBeGreaterThan(1);
  expect(said.join()).not.toContain("Ctrl");
  expect(problems).toEqual([]);
  await page.context().close();
});

it("an own script's run says its step and its points, and shows no bar without an end", async () => {
  const { page } = await signedInPage(browser, house);
  await page.goto(`/runs/${runId}/charts`);
  await page.getByText("Step 499").waitFor();
  await page.getByText("500 points", { exact: true }).waitFor();
  await page.goto("/");
  await page.getByText("Step 499").waitFor();
  expect(await page.locator("[role=progressbar]").count()).toBe(0);
  await page.context().close();
});

it("the audit log is in Chinese on a Chinese page", async () => {
  const { page } = await signedInPage(browser, house, { locale: "zh" });
  await page.goto("/settings/audit");
  await page.getByText("创建训练").first().waitFor();
  expect(await page.getByText("run-created").count()).toBe(0);
  await page.context().close();
});

it("a training started right after a change leads to its run, however late the run's page comes", async () => {
  const { page } = await signedInPage(browser, house);
  const config = encodeURIComponent(JSON.stringify({ epochs: 1, width: 4 }));
  await page.goto(`/runs/new?recipe=vision&config=${config}`);
  // From here on every part of a page comes later than the form writes its draft into the address.
  await page.route("**/assets/*", async (route) => {
    await page.waitForTimeout(700);
    await route.continue();
  });
  await page.getByLabel("Name", { exact: true }).fill("right away");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.waitForURL(/\/runs\/\d+\/charts/);
  await page.context().close();
});

it("on a phone Start is in sight above the places, and leads to what is wrong", async () => {
  const { page } = await signedInPage(browser, house, { width: 390, height: 844 });
  await page.goto("/runs/new?recipe=vision");
  const bar = page.getByRole("group", { name: "Start this training" });
  const start = bar.getByRole("button", { name: "Start", exact: true });
  await start.waitFor();
  const box = await start.boundingBox();
  expect((box?.y ?? 999) + (box?.height ?? 0)).toBeLessThanOrEqual(844 - 56);
  expect(await page.getByRole("button", { name: "Start", exact: true }).count()).toBe(1);
  await page.locator("#field-learning_rate").fill("-1");
  await bar.getByText(/corrected first/).click();
  await page.waitForFunction(() => document.activeElement?.id === "field-learning_rate");
  expect(await start.isDisabled()).toBe(true);
  await page.context().close();
});

it("a language that is chosen while signing in stays, and the account keeps it", async () => {
  const { page } = await signedInPage(browser, house, { locale: "en" });
  const inChinese = page.getByRole("button", { name: "English" });
  await page.getByRole("button", { name: "中文" }).click();
  await inChinese.waitFor();
  await page.context().close();

  const context = await browser.newContext({ baseURL: house.url, locale: "en-US" });
  const other = await context.newPage();
  const signIn = async () => {
    await other.locator("input[autocomplete=username]").fill(ADMIN.name);
    await other.locator("input[type=password]").fill(ADMIN.password);
    await other.keyboard.press("Enter");
    await other.waitForURL((url) => url.pathname !== "/sign-in");
  };
  // Who chooses nothing gets the account's language, whatever the browser speaks.
  await other.goto("/sign-in");
  await signIn();
  await other.getByRole("button", { name: "English" }).waitFor();
  // Who chooses one while signing in keeps it.
  await context.clearCookies();
  await other.goto("/sign-in");
  await other.getByRole("button", { name: "English" }).click();
  await signIn();
  await other.getByRole("button", { name: "中文" }).waitFor();
  await until("the account has kept it", async () => {
    const { user } = await house.client.call(getMe, {});
    return user?.locale === "en";
  });
  await context.close();
});

it("a command that found no server says so until the server is back", async () => {
  const { page } = await signedInPage(browser, house);
  await page.goto(`/runs/${runId}/charts`);
  await page.locator("[data-control=stop]").click();
  await house.kill();
  await page.locator("[data-control=confirm-stop]").click();
  const refusal = page.locator(".refusal");
  await refusal.getByText("The server does not answer.").waitFor();
  await house.start();
  await refusal.waitFor({ state: "detached" });
  await page.context().close();
});
