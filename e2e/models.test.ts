// A model's life as a person lives it: trained, put into production, asked, trained on, and rolled back.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createRun,
  Dataset,
  findModelVersions,
  getModelVersion,
  type ModelVersion,
  type ModelVersionPage,
} from "@spotter/contract";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { CommandLine } from "./harness/command-line.ts";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

describe("model versions", () => {
  let house: House;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  beforeAll(async () => {
    house = await House.open();
    browser = await openBrowser();
    ({ page, problems } = await signedInPage(browser, house));
    await page.getByRole("button", { name: "Skip" }).click();
  });
  afterAll(async () => {
    await browser.close();
    await house.close();
  });

  const TINY = { epochs: 2, width: 4, batch_size: 256 };
  const stored = (runId: number): Promise<ModelVersion> =>
    until(`run ${runId} has a stored version`, async () => {
      const query = { run_id: String(runId) };
      const [version] = (await house.client.call(findModelVersions, { query })).versions;
      return version?.storage === "stored" ? version : undefined;
    });
  /** Through the menu of the version's page and the sheet that asks why. */
  async function stage(version: ModelVersion, item: string, button: string, reason: string) {
    await page.goto(`/models/${version.model_id}/v/${version.version}`);
    await page.getByRole("button", { name: /^Stage of version/ }).click();
    await page.getByRole("menuitem", { name: item }).click();
    await page.getByLabel("Why").fill(reason);
    await page.getByRole("button", { name: button }).click();
    await page
      .getByRole("button", { name: `Stage of version ${version.version}: ${item}` })
      .waitFor();
  }

  it("are made by training, staged, asked, trained on and rolled back from the pages", async () => {
    const first = await house.train(TINY, "first");
    await house.untilState(first.id, "finished");
    const one = await stored(first.id);
    expect(one.code_revision?.revision).toMatch(/^([0-9a-f]{40}|sha256:[0-9a-f]{64})$/);
    await page.goto("/models");
    await page.getByRole("link", { name: "vision-digits" }).click();
    await stage(one, "Production", "Move to production", "the first one");

    await page.getByRole("button", { name: /16 test samples/ }).click();
    await page.locator(".try li").nth(15).waitFor({ timeout: 120_000 });
    const asked = await house.client.call(getModelVersion, { params: { version_id: one.id } });
    expect(asked.latency_ms).toBeGreaterThan(0);

    // The form begins with the version's own config and its weights, chosen by name.
    await page.getByRole("button", { name: "Train on from it" }).click();
    await page.waitForURL(/\/runs\/new/);
    await page.getByText("vision-digits v1").first().waitFor();
    expect(await page.getByLabel("Model name").inputValue()).toBe(one.name);
    // Beside the form, what differs is called by its name too.
    await page.locator(".change").getByText("vision-digits v1").waitFor();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.waitForURL(/\/runs\/\d+/);
    const secondId = Number(/\/runs\/(\d+)/.exec(page.url())?.[1]);
    await house.untilState(secondId, "finished");
    const two = await stored(secondId);
    expect(two).toMatchObject({ name: one.name, version: 2, parent: { id: one.id, version: 1 } });
    expect(two.config).toMatchObject(TINY);

    await stage(two, "Production", "Move to production", "trained on");
    await page.goto(`/models/${one.model_id}`);
    await page.getByRole("button", { name: "Roll back to v1" }).click();
    await page.getByLabel("Why").fill("v2 forgot the sevens");
    await page.locator(".el-drawer").getByRole("button", { name: "Roll back to v1" }).click();
    await page.getByText("v2 forgot the sevens").first().waitFor();
    await page.getByRole("button", { name: "Stage of version 1: Production" }).waitFor();
    await page.getByRole("button", { name: "Stage of version 2: Archived" }).waitFor();
    expect(problems).toEqual([]);
  });

  it("are put side by side, deleted and brought back", async () => {
    await page.goto("/models/versions");
    await page.getByRole("checkbox").nth(1).waitFor();
    for (const box of await page.getByRole("checkbox").all()) await box.check();
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.waitForURL(/\/models\/compare\?v=1(,|%2C)2/);
    await page.getByRole("cell", { name: "not there" }).first().waitFor();
    // Where it began from, and the config's field that says so.
    await page.getByRole("cell", { name: "vision-digits v1", exact: true }).nth(1).waitFor();
    expect(await page.getByText("The test sets differ").count()).toBe(0);

    await page.goto("/models/1/v/2/card");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("This version is deleted.").waitFor();
    await page.getByRole("button", { name: "Restore" }).click();
    await page.getByRole("button", { name: "Train on from it" }).waitFor();
    expect(problems).toEqual([]);
  });

  it("are found, staged, asked and rolled back from the command line", async () => {
    const cli = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await cli.run(args);
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      return stdout;
    };
    expect(await run("models", "--stage", "production")).toContain("vision-digits");
    expect(await run("models", "show", "vision-digits@2")).toContain("vision-digits@1");
    await run("models", "note", "vision-digits@2", "from the terminal", "--add", "cli");
    expect(await run("models", "--tag", "cli")).toContain("vision-digits");
    await run("models", "stage", "vision-digits@2", "production", "--reason", "again");
    expect(await run("predict", "vision-digits@2", "--test", "4")).toContain("test:0");
    expect(await run("models", "compare", "vision-digits@1", "vision-digits@2")).toContain(
      "init_from",
    );
    expect(await run("models", "rollback", "vision-digits")).toContain("version 1");
    // The best is first, which is the lowest loss; what is not there is told with the code for that.
    const byLoss = await cli.run(["--json", "models", "--metric", "val/loss"]);
    const losses = (JSON.parse(byLoss.stdout) as ModelVersionPage).versions.map(
      ({ metrics }) => metrics["val/loss"] as number,
    );
    expect(losses.length).toBeGreaterThan(1);
    expect(losses).toEqual(losses.toSorted((a, b) => a - b));
    expect((await cli.run(["models", "show", "vision-digits@99"])).code).toBe(4);
    expect((await cli.run(["models", "show", "nothing@1"])).code).toBe(4);
    const unclear = await cli.run(["models", "delete", "v2"]);
    expect(unclear).toMatchObject({ code: 2 });
    expect(unclear.stderr).toContain("does not say of which model: write name@2");
    const gone = await run("models", "delete", "vision-digits@2");
    const said = /models restore (\S+)/.exec(gone)?.[1] ?? "";
    expect(said).toBe("vision-digits@2");
    const shown = await cli.run(["models", "show", "vision-digits@2"]);
    expect(shown).toMatchObject({ code: 4 });
    expect(shown.stderr).toContain(
      'vision-digits@2 is deleted; "spotter models restore vision-digits@2" brings it back.',
    );
    expect((await cli.run(["models", "restore", said])).stderr).toContain(`${said} is back`);
    expect((await cli.run(["models", "restore", said])).stderr).toContain("was not deleted");
    cli.remove();
  });

  it("of texts are trained on an uploaded table and answer what is typed", async () => {
    const cli = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
    const file = join(cli.folder, "moods.csv");
    const rows = Array.from({ length: 40 }, (_, index) =>
      index % 2 === 0 ? `"sunny, warm day ${index}",good` : `cold grey rain ${index},bad`,
    );
    writeFileSync(file, `text,label\n${rows.join("\n")}\n`);
    const sent = await cli.run(["datasets", "upload", file, "--json"]);
    expect(sent).toMatchObject({ code: 0 });
    const dataset = Dataset.parse(JSON.parse(sent.stdout));
    expect((await cli.run(["datasets"])).stdout).toContain("moods");
    expect((await cli.run(["datasets", "show", "moods"])).stdout).toContain("sunny, warm day 0");
    cli.remove();

    await page.goto(`/datasets/${dataset.id}`);
    await page.getByText("cold grey rain 1").waitFor();
    await page.getByRole("button", { name: "Train on this" }).click();
    await page.waitForURL(/recipe=text-classify/);
    const run = await house.client.call(createRun, {
      body: {
        recipe: "text-classify",
        config: { data: { dataset_version: dataset.versions[0]?.id ?? 0 }, epochs: 1, width: 16 },
      },
    });
    await house.untilState(run.id, "finished");
    const version = await stored(run.id);
    expect(version.data.source).toEqual({ dataset_version: dataset.versions[0]?.id });
    await page.goto(`/models/${version.model_id}/v/1`);
    await page.getByRole("textbox", { name: "A text", exact: true }).fill("a warm sunny day");
    await page.getByRole("button", { name: "Answer" }).click();
    await page.locator(".try li").first().waitFor({ timeout: 120_000 });
    expect(await page.locator(".try li").first().innerText()).toMatch(/good|bad/);
    await page.goto(`/models/compare?v=1,${version.id}`);
    await page.getByText("The test sets differ (data").waitFor();
    expect(problems).toEqual([]);
  });
});
