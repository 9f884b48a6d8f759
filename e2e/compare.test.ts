// Comparing runs as a person does: chosen in the list, judged, shared, saved, marked, exported; and from the terminal.
import { ComparisonReport, createRun, type MetricValue, sendRunEvents } from "@spotter/contract";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { CommandLine } from "./harness/command-line.ts";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

describe("comparing runs", () => {
  let house: House;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  const ids: number[] = [];
  beforeAll(async () => {
    house = await House.open();
    for (const [lr, last] of [
      [0.1, [0.9, 0.91, 0.905]],
      [0.3, [0.93, 0.941, 0.934]],
    ] as const)
      for (const [seed, value] of last.entries())
        ids.push(await tell(`lr-${lr}-seed-${seed}`, { lr, seed }, [0.5, 0.8, value]));
    browser = await openBrowser();
    ({ page, problems } = await signedInPage(browser, house));
    await page.getByRole("button", { name: "Skip" }).click();
  });
  afterAll(async () => {
    await browser.close();
    await house.close();
  });

  /** A run of an own script that has ended with this accuracy. */
  async function tell(
    name: string,
    config: Record<string, number>,
    accuracies: readonly MetricValue[],
  ): Promise<number> {
    const run = await house.client.call(createRun, { body: { name, config } });
    const step = accuracies.map((_, index) => index * 100);
    const time = step.map((at) => 1_795_000_000 + at);
    const loss = accuracies.map((value) => 1 - Number(value));
    await house.client.call(sendRunEvents, {
      params: { run_id: run.id },
      body: {
        ...{ protocol: 1, attempt: 1, seq: 1 },
        events: [
          {
            type: "metric-points",
            series: {
              "val/accuracy": { step, time, value: [...accuracies] },
              "train/loss": { step, time, value: loss },
            },
          },
          { type: "run-ended", time: 1_795_000_900, state: "finished" },
        ],
      },
    });
    return run.id;
  }

  it("leads from the list to a verdict, whose address anybody may open", async () => {
    await page.goto("/runs");
    await page.getByRole("checkbox", { name: `Select run ${ids[0]}` }).waitFor();
    for (const id of ids) await page.getByRole("checkbox", { name: `Select run ${id}` }).check();
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await page.waitForURL(/\/compare\?runs=/);
    await page.getByText(/lr 0\.3 is better than lr 0\.1: val\/accuracy \+3\.0 pt/).waitFor();
    await page.getByText(/Paired t test over 3 seeds/).waitFor();
    // Two curves with their bands, each of three seeds.
    await page.getByText("seeds' mean, 95 % interval").first().waitFor();
    await page.getByText("lr 0.1 (3)").waitFor();
    await page.getByText("each run", { exact: true }).click();
    await page.waitForURL(/lines=runs/);

    await page.goto(`/compare?runs=${ids[0]},${ids[3]}`);
    await page.getByText(/one run cannot tell whether that is chance/).waitFor();
    await page.getByText(/needs at least 2 seeds a group/).waitFor();
    await page.getByRole("button", { name: "Make base" }).click();
    await page.waitForURL(new RegExp(`base=${ids[3]}`));
    expect(problems).toEqual([]);
  });

  it("marks a part of an axis by keys and by pointer, and goes on with what passes", async () => {
    await page.goto(`/compare?runs=${ids.join(",")}`);
    const low = page.getByRole("slider", { name: "lr, from" });
    await low.focus();
    await page.keyboard.press("PageUp");
    await page
      .getByText(`3 of 6 runs pass through every mark: ${ids.slice(3).join(", ")}`)
      .waitFor();
    expect(await low.getAttribute("aria-valuenow")).toBe("10");
    await page.keyboard.press("Escape");
    const axis = page.locator('[data-axis="val/accuracy"] .hit');
    const box = await until(
      "the axis is drawn",
      async () => (await axis.boundingBox()) ?? undefined,
    );
    const across = box.x + box.width / 2;
    await page.mouse.move(across, box.y + 0.15 * box.height);
    await page.mouse.down();
    await page.mouse.move(across, box.y + 0.5 * box.height, { steps: 5 });
    await page.mouse.up();
    await page.getByText(`2 of 6 runs pass through every mark: ${ids[3]}, ${ids[5]}`).waitFor();
    await page.getByRole("button", { name: "Compare only these" }).click();
    await page.waitForURL((url) => url.searchParams.get("runs") === `${ids[3]},${ids[5]}`);
    await page
      .getByText("All these runs began the same way and differ in nothing but the seed.")
      .waitFor();
    expect(problems).toEqual([]);
  });

  it("keeps a comparison under a name, and leaves with its files", async () => {
    await page.goto(`/compare?runs=${ids.join(",")}&metric=train/loss`);
    await page.getByRole("button", { name: "Save…" }).click();
    await page.getByLabel("Name").fill("Two rates");
    await page.locator(".el-drawer").getByRole("button", { name: "Save" }).click();
    await page.waitForURL(/\/compare\/\d+$/);
    await page.getByRole("heading", { name: "Two rates" }).waitFor();
    await page.getByText(/lr 0\.3 is better than lr 0\.1: train\/loss −0\.03/).waitFor();
    await page.getByRole("button", { name: "Export" }).click();
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: /Markdown/ }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/^runs-[\d-]+\.md$/);
    await page.goto("/compare");
    await page.getByRole("link", { name: "Two rates" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.locator(".el-popover:visible").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No comparison has been saved yet.").waitFor();
    expect(problems).toEqual([]);
  });

  it("says the same in the terminal, as a table and as files", async () => {
    const cli = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
    const runs = ids.map(String);
    const table = await cli.run(["compare", ...runs]);
    expect(table).toMatchObject({ code: 0, stderr: "" });
    expect(table.stdout).toContain("lr 0.3 is better than lr 0.1");
    expect(table.stdout).toMatch(/val\/accuracy +0\.9 /);
    const json = await cli.run(["compare", ...runs, "--format", "json", "--metric", "train/loss"]);
    expect(ComparisonReport.parse(JSON.parse(json.stdout)).metric).toBe("train/loss");
    expect((await cli.run(["compare", ...runs, "--format", "csv"])).stdout).toMatch(/^run,name,/);
    const saved = await cli.run(["compare", ...runs, "--lang", "zh", "--save", "命令行"]);
    expect(saved.stdout).toContain("优于");
    const id = /\/compare\/(\d+)/.exec(saved.stderr)?.[1] ?? "";
    const markdown = await cli.run(["compare", "--saved", id, "--format", "markdown"]);
    expect(markdown.stdout).toContain("# Comparison of runs");
    expect((await cli.run(["compare", runs[0] ?? ""])).code).toBe(2);
    expect((await cli.run(["compare", runs[0] ?? "", "999999"])).code).toBe(4);
    expect((await cli.run(["compare", ...runs, "--format", "xml"])).code).toBe(2);
    cli.remove();
  });
});
