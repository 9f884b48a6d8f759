// A model that learns on: new classes beside the old ones, from its own past, through the real server and worker.
import { createRun, findModelVersions, getRun, type JsonObject, type Run } from "@spotter/contract";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

type Config = z.infer<typeof JsonObject>;

const OLD = ["0", "1", "2", "3", "4"];
const NEW = ["5", "6", "7", "8", "9"];
const TINY = { epochs: 3, width: 8, augment: "none" };

describe("learning on", () => {
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

  const train = (config: Config, name: string): Promise<Run> =>
    house.client.call(createRun, { body: { recipe: "vision", name, config } });
  const metricsOf = async (id: number): Promise<Run["metrics"]> =>
    (await house.client.call(getRun, { params: { run_id: id } })).metrics;

  it("keeps the old classes by replay and a teacher, and the run's page says how well", async () => {
    const first = await train({ ...TINY, class_subset: OLD }, "old digits");
    await house.untilState(first.id, "finished");
    const version = await until("a stored version", async () => {
      const query = { run_id: String(first.id) };
      const [one] = (await house.client.call(findModelVersions, { query })).versions;
      return one?.storage === "stored" ? one : undefined;
    });
    const model = { model_version: version.id };
    const second = await train(
      {
        ...TINY,
        ...{ class_subset: NEW, old_class_subset: OLD, old_data: { builtin: "digits" } },
        ...{ init_from: model, distill_from: model, best_metric: "val/accuracy_both" },
      },
      "new digits",
    );
    await house.untilState(second.id, "finished");
    const metrics = await metricsOf(second.id);
    expect(metrics["continual/old_accuracy_before"]).toBeGreaterThan(0.8);
    expect(metrics["continual/old_accuracy_after"]).toBeGreaterThan(0.5);
    await page.goto(`/runs/${second.id}`);
    await page.getByText("Old data, before → after").waitFor();
    await page.getByText(/^forgetting [+−]?[\d.]+ pt$/).waitFor();
    const [child] = (
      await house.client.call(findModelVersions, { query: { run_id: String(second.id) } })
    ).versions;
    expect(child?.parent).toMatchObject({ id: version.id });
    expect(problems).toEqual([]);
  });

  it("refuses what does not go together with a sentence", async () => {
    const asked = train({ ...TINY, ewc_lambda: 10 }, "no past");
    await expect(asked).rejects.toThrow("give init_from and old_data too");
  });
});
