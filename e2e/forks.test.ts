// A fork as a person makes one: from a checkpoint on the run's page, with a change and its warnings, and back in the family.
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { CommandLine } from "./harness/command-line.ts";
import { House } from "./harness/house.ts";

describe("forks", () => {
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

  const CONFIG = { epochs: 4, width: 4, batch_size: 256, checkpoint_every_epochs: 1 };

  it("are planned, started, watched and found again from the pages and the terminal", async () => {
    const parent = await house.train({ ...CONFIG, keep_checkpoints: 10 }, "parent");
    await house.untilState(parent.id, "finished");

    // From a checkpoint in the middle; its step stands in the address.
    await page.goto(`/runs/${parent.id}/files`);
    await page.locator('[data-fork="12"]').click();
    await page.waitForURL(new RegExp(`/runs/${parent.id}/fork\\?step=12$`));
    await page.locator('[data-warning="repeats-parent"]').waitFor();
    // Another batch size loses the data position, and the form says so before anything starts.
    await page.getByRole("combobox", { name: "Change another setting…" }).click();
    await page.getByRole("option", { name: /batch_size/ }).click();
    await page.locator("#field-batch_size").fill("128");
    await page.locator('[data-warning="data-position-lost"]').waitFor();
    expect(await page.locator("#keep-data_position").isDisabled()).toBe(true);
    await page.locator("#field-batch_size").fill("256");
    await page.locator("#field-learning_rate").fill("0.001");
    await page.getByRole("row", { name: /learning_rate.*0\.003.*0\.001/ }).waitFor();
    await page.locator('[data-control="start-fork"]').click();
    await page.waitForURL(/\/runs\/\d+\/charts/);
    const forkId = Number(/\/runs\/(\d+)/.exec(page.url())?.[1]);
    const fork = await house.untilState(forkId, "finished");
    expect(fork).toMatchObject({
      config: { learning_rate: 0.001 },
      fork: { parent_id: parent.id, step: 12, keep: { data_position: true, rng: true } },
    });

    // A checkpoint that policy has removed meanwhile: the newest is one click away, and what was typed stays.
    await page.goto(`/runs/${parent.id}/fork?step=7`);
    await page.locator("#fork-name").fill("kept");
    await page.locator('[data-control="take-newest"]').click();
    await page.waitForURL(/\?step=24$/);
    await page.locator('[data-warning="no-steps-left"]').waitFor();
    expect(await page.locator("#fork-name").inputValue()).toBe("kept");
    // The refusal of step 7 was an answer, not a fault.
    problems.length = 0;

    // Its charts begin with the parent's curve, which a switch takes away.
    await page.goto(`/runs/${forkId}/charts`);
    const chart = page.locator('[data-chart="train/loss"]');
    await chart.getByText(/24 of 24 points/).waitFor();
    // Before the fork there is no value of its own: the tip says whose value it shows, and the title keeps the last one.
    const title = chart.locator("figcaption .value");
    const last = await title.innerText();
    await page.goto(`/runs/${forkId}/charts?from=2&to=10`);
    await chart.getByText(/of .* points/).waitFor();
    await chart.locator(".u-over").hover({ position: { x: 200, y: 60 } });
    await chart.locator(".tip .row").first().waitFor();
    const names = await chart.locator(".tip .name").allInnerTexts();
    expect(names).toHaveLength(1);
    expect(names[0]).toContain(`${parent.id}`);
    expect(await title.innerText()).toBe(last);
    await page.goto(`/runs/${forkId}/charts?from=2&to=10&ancestors=0`);
    await chart.getByText("No points in this range").waitFor();
    expect(await title.innerText()).toBe(last);
    await page.goto(`/runs/${forkId}/charts`);
    await chart.getByText(/24 of 24 points/).waitFor();
    await page.getByText("Ancestors").click();
    await chart.getByText(/12 of 12 points/).waitFor();
    await page.waitForURL(/ancestors=0/);

    await page.goto(`/runs/${parent.id}/lineage`);
    const rows = page.locator("[data-run]");
    await rows.nth(1).waitFor();
    expect(await rows.evaluateAll((all) => all.map((one) => one.getAttribute("data-run")))).toEqual(
      [String(parent.id), String(forkId)],
    );
    await page.getByText("learning_rate 0.003 → 0.001").waitFor();
    await rows.nth(0).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/runs/${forkId}/lineage`);
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of ["lineage", "fork"]) {
      await page.goto(`/runs/${forkId}/${path}`);
      await page
        .locator(path === "lineage" ? "[data-run]" : "[data-control=start-fork]")
        .first()
        .waitFor();
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(390);
    }
    expect(problems).toEqual([]);

    const terminal = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
    try {
      const tree = await terminal.run(["lineage", String(forkId)]);
      expect(tree.stdout).toContain(`└─ #${forkId}*`);
      const plan = await terminal.run(["fork", String(parent.id), "--step", "18", "--dry-run"]);
      expect(plan.stdout).toContain("Kept: weights, optimizer, scheduler, rng, data_position.");
      const unknown = await terminal.run(["fork", String(parent.id), "--step", "7"]);
      expect(unknown.code).toBe(4);
      expect(unknown.stderr).toContain("it has those of the steps 6, 12, 18, 24");
      const seeds = await terminal.run([
        ...["fork", String(parent.id), "--step", "12", "--seeds", "2", "--json"],
      ]);
      const { runs } = JSON.parse(seeds.stdout) as { runs: { id: number }[] };
      expect(runs).toHaveLength(2);
      for (const { id } of runs) await house.untilState(id, "finished");

      // Two seeds of one checkpoint are a group; the fork that kept its random state is another, and says where it began.
      const seeded = runs.map(({ id }) => id);
      const all = [parent.id, forkId, ...seeded];
      const compared = await terminal.run(["compare", ...all.map(String), "--json"]);
      const { groups } = JSON.parse(compared.stdout) as { groups: { run_ids: number[] }[] };
      expect(groups.map(({ run_ids }) => run_ids)).toEqual([[parent.id], [forkId], seeded]);
      const told = await terminal.run(["compare", ...all.map(String)]);
      expect(told.stdout).toContain(`learning_rate 0.001 from step 13; fork of ${parent.id} @ 12`);
      expect(told.stdout).toMatch(/began in\s+#\d+\s+from scratch/);
      await page.goto(`/compare?runs=${all.join(",")}`);
      const row = page.getByRole("row", {
        name: /^began in from scratch run \d+ @ step 12, keeps/,
      });
      await row.waitFor();
    } finally {
      terminal.remove();
    }
  });
});
