// Texts of two kinds, as somebody meets them who has just uploaded both: the form offers each recipe its own, and the
// terminal is told before anything is queued.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { listRuns } from "@spotter/contract";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { CommandLine } from "./harness/command-line.ts";
import { House } from "./harness/house.ts";

describe("texts and the recipes that they are for", () => {
  let house: House;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  let cli: CommandLine;
  beforeAll(async () => {
    house = await House.open();
    browser = await openBrowser();
    ({ page, problems } = await signedInPage(browser, house));
    await page.getByRole("button", { name: "Skip" }).click();
    cli = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
  });
  afterAll(async () => {
    await browser.close();
    await house.close();
    cli.remove();
  });

  it("are told apart by the terminal, with what they have and what is needed", async () => {
    const story = join(cli.folder, "story.txt");
    const reviews = join(cli.folder, "reviews.csv");
    writeFileSync(story, "Once upon a time there was a model.\n".repeat(20));
    writeFileSync(reviews, `review,stars\n${"fine,good\nbad,poor\n".repeat(10)}`);
    for (const file of [story, reviews])
      expect((await cli.run(["datasets", "upload", file])).code).toBe(0);
    const wrong = await cli.run(["train", "text-lm", "--set", "data.dataset_version=2"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain(
      "reviews v1 holds .csv (1); text-lm learns from .txt, .jsonl, .md, .ndjson",
    );
    const heads = await cli.run(["train", "text-lm", "--set", "width=100", "--set", "heads=3"]);
    expect(heads.stderr).toContain("with 3 heads it must be a multiple of 6, such as 102");
    const program = await cli.run(["preflight", "command", "--set", 'command=["true"]']);
    expect(program.code).toBe(2);
    expect(program.stderr).toContain("has no pre-flight");
    expect((await house.client.call(listRuns, {})).total).toBe(0);
  });

  it("are offered by the form where they fit; of the others it says why they do not", async () => {
    await page.goto("/runs/new?recipe=text-classify");
    const data = page.getByRole("radiogroup", { name: "data", exact: true });
    await data.getByText("Uploaded dataset").click();
    await page.getByText("*.csv of reviews v1 has the columns review, stars;").waitFor();
    expect(await page.getByRole("combobox", { name: "Uploaded dataset" }).count()).toBe(0);
    await page.getByLabel("Text column").fill("review");
    await page.getByLabel("Label column").fill("stars");
    await page.getByText("1 uploaded version does not fit", { exact: false }).waitFor();
    await page.getByRole("combobox", { name: "Uploaded dataset" }).click();
    await page.getByRole("option", { name: "reviews · v1" }).waitFor();
    expect(await page.getByRole("option", { name: "story · v1" }).count()).toBe(0);
    await page.getByLabel("Width", { exact: true }).fill("130");
    await page.getByText("with 4 heads it must be a multiple of 4, such as 132.").waitFor();
    expect(problems).toEqual([]);
  });
});
