// A person changes a value of a running training in the page, sees who, what and why, kills its worker, and takes the
// change back: nothing of it is lost on the way, and nothing of it is left in the end.
import {
  controlTraining,
  getRunValues,
  type LiveValues,
  listRunLogs,
  resumeRun,
} from "@spotter/contract";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

const LONG = { epochs: 5000, width: 8, schedule: "constant", warmup_epochs: 0 };

describe("changes of a running training", () => {
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

  const valuesOf = (id: number) =>
    house.client.call(getRunValues, { params: { run_id: String(id) } });
  const inForce = async (id: number) =>
    Object.fromEntries((await valuesOf(id)).values.map(({ name, value }) => [name, value]));
  const trains = (id: number) =>
    until(`run ${id} trains`, async () => {
      const run = await house.run(id);
      return run.state === "running" && (run.progress?.step ?? 0) > 30;
    });
  const cancel = async (id: number) => {
    await house.client.call(controlTraining, { body: { action: "cancel", run_id: id } });
    await house.untilState(id, "stopped", "cancelled");
  };

  it("are made, seen and taken back on the run's page", async () => {
    const run = await house.train(LONG);
    await trains(run.id);
    const { page, problems } = await signedInPage(browser, house);
    await page.goto(`/runs/${run.id}/control`);
    await page.getByLabel("Learning rate", { exact: true }).fill("11");
    await page.getByText("Must be within 0 < … ≤ 10.").waitFor();
    const set = page.locator("[data-control=set]");
    expect(await set.isDisabled()).toBe(true);
    await page.getByLabel("Learning rate", { exact: true }).fill("1e-4");
    await page.getByLabel("Gradient clip: off").click({ force: true });
    // Without a reason nothing is sent.
    expect(await set.isDisabled()).toBe(true);
    await page.getByLabel("Why").fill("the loss jumps");
    await set.click();
    await page.locator("[data-standing=in-force]").waitFor();
    const change = page.locator("[data-change]").first();
    await change.getByText("learning_rate 3.0e-3 → 1.0e-4").waitFor();
    await change.getByText("gradient_clip 1 → off").waitFor();
    await change.getByText("the loss jumps").waitFor();
    expect(await inForce(run.id)).toMatchObject({ learning_rate: 1e-4, gradient_clip: null });
    const logs = await house.client.call(listRunLogs, {
      params: { run_id: run.id },
      query: { q: "in force, checked" },
    });
    expect(logs.lines[0]?.text).toContain("learning_rate 0.003 → 0.0001");

    // The config is what it began with, and says at the value what became of it.
    await page.getByRole("link", { name: "Config", exact: true }).click();
    const began = page
      .getByRole("row")
      .filter({ has: page.locator("code", { hasText: /^learning_rate$/ }) });
    await began.getByText("0.003").waitFor();
    await began.locator("[data-changed]").getByText("the loss jumps").waitFor();
    expect(await began.locator("[data-changed]").textContent()).toContain("1.0e-4");
    // Another training like it begins there too, and may take what was changed.
    await page.goto(`/runs/new?from=${run.id}`);
    await page.getByText("starts from what the run began with").waitFor();
    expect(
      await page
        .getByText("The same config as the run it is copied from.")
        .filter({ visible: true })
        .count(),
    ).toBe(1);
    await page.locator("[data-control=take-changes]").click();
    await page.getByText("This form has the changed ones.").waitFor();
    await page
      .getByText("2 values differ from their defaults.")
      .filter({ visible: true })
      .waitFor();

    await page.goto(`/runs/${run.id}/control`);
    await change.locator("[data-control=revert]").click();
    await page.locator("[data-standing=reverted]").waitFor();
    await until("the second attempt trains under the old values", async () => {
      const now = await house.run(run.id);
      return (
        now.attempts.length === 2 &&
        now.state === "running" &&
        now.metrics["train/learning_rate"] === 0.003
      );
    });
    expect(await inForce(run.id)).toMatchObject({ learning_rate: 0.003, gradient_clip: 1 });
    expect(problems).toEqual([]);
    await page.close();
    await cancel(run.id);
  });

  it("survive a worker that is killed right after them", async () => {
    const run = await house.train(LONG);
    await trains(run.id);
    const values: LiveValues = { learning_rate: 0.0123, batch_size: 32 };
    await house.client.call(controlTraining, {
      body: { action: "set", run_id: run.id, values, reason: "a test" },
    });
    await until(
      "it is in force",
      async () => (await valuesOf(run.id)).changes[0]?.standing === "in-force",
    );
    process.kill(house.processes(run.id).worker, "SIGKILL");
    await until("its run has failed and is at rest", async () => {
      const now = await house.run(run.id);
      return now.state === "failed" && now.attempts.every(({ state }) => state === "ended");
    });
    await house.client.call(resumeRun, { params: { run_id: run.id } });
    const resumed = await until("it goes on", async () => {
      const now = await house.run(run.id);
      const first = now.attempts[1]?.first_step ?? null;
      return first !== null && (now.progress?.step ?? 0) > first ? now : undefined;
    });
    expect(resumed.config).toMatchObject({ learning_rate: 0.003, batch_size: 64 });
    expect(Object.fromEntries(resumed.config_changes.map(({ key, to }) => [key, to]))).toEqual(
      values,
    );
    const logs = await house.client.call(listRunLogs, {
      params: { run_id: run.id },
      query: { q: "set as before" },
    });
    expect(logs.lines[0]?.text).toContain("batch_size 64 → 32");
    await cancel(run.id);
  });
});
