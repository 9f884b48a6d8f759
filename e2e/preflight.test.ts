// A look before the start: the panel beside the form, the rate it suggests put to use, the command line's verdict.
import { getQueue, Preflight } from "@spotter/contract";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { CommandLine } from "./harness/command-line.ts";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

const TINY = { width: 4, epochs: 1, optimizer: "sgd", learning_rate: 9 };

describe("a look before the start", { timeout: 240_000 }, () => {
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

  it.each([
    { locale: "en", theme: "light", width: 1280, check: "Check first", use: /^Use / },
    { locale: "zh", theme: "dark", width: 390, check: "预检", use: /^使用 / },
  ] as const)(
    "names the problem, shows samples and curves, and its rate goes into the form ($locale, $width)",
    async ({ locale, theme, width, check, use }) => {
      const { page, problems } = await signedInPage(browser, house, { locale, theme, width });
      await page.getByRole("button", { name: /^(Skip|跳过)$/ }).click();
      const config = JSON.stringify(TINY);
      await page.goto(`/runs/new?recipe=vision&config=${encodeURIComponent(config)}`);
      await page.getByRole("button", { name: check, exact: true }).click();
      const panel = page.locator("section.preflight");
      await panel.locator("h3.verdict.problem").waitFor({ timeout: 120_000 });
      expect(await panel.locator("li.problem").first().innerText()).toContain("9");
      expect(await panel.locator("img").count()).toBe(8);
      expect(await panel.locator("canvas").count()).toBe(2);
      await panel.getByRole("button", { name: use }).click();
      const rate = page.locator("#field-learning_rate");
      expect(Number(await rate.inputValue())).toBeLessThan(9);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - window.innerWidth,
      );
      expect(overflow).toBeLessThanOrEqual(0);
      expect(problems).toEqual([]);
    },
  );

  it("is made by itself of what is free, once the form rests, and only of its last state", async () => {
    const { page, problems } = await signedInPage(browser, house);
    await page.getByRole("button", { name: "Skip" }).click();
    const asked: string[] = [];
    page.on("request", (request) => {
      if (!request.url().includes("/api/preflight") || request.method() === "GET") return;
      asked.push(`${request.method()} ${request.postData() ?? ""}`);
    });
    await page.goto("/runs/new?recipe=vision");
    const panel = page.locator("section.preflight");
    const epochs = page.locator("#field-epochs");
    // The defaults are known to work: looking at them would cost something and tell nothing.
    await panel.getByText("is looked at by itself").waitFor();
    const isAsked = (text: string) => asked.some((line) => line.includes(text));
    expect(asked).toEqual([]);
    for (const value of ["4", "5", "6"]) await epochs.fill(value);
    await until("the look at 6 has begun", () => isAsked('"epochs":6'));
    await panel.locator("h3.verdict").waitFor({ timeout: 120_000 });
    await panel.locator(".progress").waitFor({ state: "detached", timeout: 120_000 });
    expect(
      asked.every((line) => line.includes('"trials":false') || line.startsWith("DELETE")),
    ).toBe(true);
    expect(await panel.locator("img").count()).toBe(8);
    expect(await panel.locator("canvas").count()).toBe(0);

    // What is overtaken by the next change is cancelled, and leaves nothing behind in the queue.
    await epochs.fill("7");
    await until("the look at 7 has begun", () => isAsked('"epochs":7'));
    await epochs.fill("8");
    await until("the look at 8 has begun", () => isAsked('"epochs":8'));
    await panel.locator(".progress").waitFor({ state: "detached", timeout: 120_000 });
    const { running, waiting } = await house.client.call(getQueue, {});
    expect([...running, ...waiting].filter(({ kind }) => kind === "preflight")).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("is told by the command line, with an exit code for scripts", async () => {
    const shell = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
    onTestFinished(() => shell.remove());
    const settings = Object.entries(TINY).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const people = await shell.run(["preflight", "vision", ...settings, "--budget", "8"]);
    expect(people.code).toBe(1);
    expect(people.stdout).toContain("⬣ Learning rate 9");
    const healthy = ["--set", "width=4", "--set", "epochs=1", "--budget", "4"];
    const programs = await shell.run(["preflight", "vision", ...healthy, "--json"]);
    const end = Preflight.parse(JSON.parse(programs.stdout));
    expect(end.state).toBe("finished");
    expect(programs.code).toBe(end.report?.verdict === "problem" ? 1 : 0);
  });
});
