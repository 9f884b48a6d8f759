// Asking a model about one's own examples: what it is asked about is seen, and one broken file spoils nothing else.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRun } from "@spotter/contract";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { CommandLine } from "./harness/command-line.ts";
import { House } from "./harness/house.ts";

/** A picture of one colour, as an uncompressed bitmap. */
function bitmap(edge: number, [red, green, blue]: readonly [number, number, number]): Buffer {
  const head = Buffer.alloc(54);
  head.write("BM");
  head.writeUInt32LE(54 + edge * edge * 3, 2);
  head.writeUInt32LE(54, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(edge, 18);
  head.writeInt32LE(edge, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(24, 28);
  return Buffer.concat([head, Buffer.alloc(edge * edge * 3, Buffer.from([blue, green, red]))]);
}

describe("trying a model on one's own examples", () => {
  let house: House;
  let browser: Browser;
  const data = mkdtempSync(join(tmpdir(), "spotter-photos-"));
  beforeAll(async () => {
    for (const name of ["blue", "red"]) {
      mkdirSync(join(data, "photos", name), { recursive: true });
      for (let number = 0; number < 16; number++) {
        const colour = [name === "red" ? 230 : 20, number * 8, name === "blue" ? 230 : 20] as const;
        writeFileSync(join(data, "photos", name, `${number}.bmp`), bitmap(64, colour));
      }
    }
    const rows = Array.from({ length: 60 }, (_, number) => ({
      text: number % 2 ? `rain and wind, day ${number}` : `a goal in minute ${number}`,
      label: number % 2 ? "weather" : "sport",
    }));
    writeFileSync(join(data, "news.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
    house = await House.open({ env: { SPOTTER_DATA_ROOTS: data } });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await house.close();
    rmSync(data, { recursive: true, force: true });
  });

  it("shows picture and name of each test sample, and answers the good file of two", async () => {
    const config = {
      ...{ data: { path: join(data, "photos") }, image_size: 64 },
      ...{ epochs: 2, width: 4, test_fraction: 0.25 },
    };
    const run = await house.client.call(createRun, {
      body: { recipe: "vision", name: "colours", config },
    });
    await house.untilState(run.id, "finished");
    const { page, problems } = await signedInPage(browser, house);
    await page.getByRole("button", { name: "Skip" }).click();
    await page.goto(`/runs/${run.id}/files`);
    await page.getByRole("button", { name: "Try 16 test samples" }).click();
    const panel = page.locator("section.try");
    const names = panel.locator("li .name");
    await names.first().waitFor();
    expect(await names.allTextContents()).toContainEqual(expect.stringMatching(/^red\/\d+\.bmp$/));
    expect(await panel.locator("li img").count()).toBe(8);
    // The test split has no sixteen.
    expect(await panel.getByRole("alert").count()).toBe(0);
    await panel.locator("input[type=file]").setInputFiles([
      { name: "mine.bmp", mimeType: "image/bmp", buffer: bitmap(40, [230, 10, 10]) },
      { name: "broken.png", mimeType: "image/png", buffer: Buffer.from("no picture") },
    ]);
    await panel.getByText("broken.png was not answered: not an image that can be read").waitFor();
    expect(await names.allTextContents()).toEqual(["mine.bmp"]);
    await panel
      .locator("input[type=file]")
      .setInputFiles([
        { name: "broken.png", mimeType: "image/png", buffer: Buffer.from("no picture") },
      ]);
    await panel.getByRole("alert").getByText("broken.png: not an image").waitFor();
    // What was answered before does not stand under the error.
    expect(await panel.locator("li").count()).toBe(0);
    expect(problems.filter((problem) => !problem.includes("status of 422"))).toEqual([]);

    const spotter = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
    const told = await spotter.run(["predict", String(run.id), "--test", "4"]);
    expect(told.stdout).toMatch(/test:0 {2}(red|blue)\/\d+\.bmp/);
  });

  it("shows the text that a class was given to, with its file and row", async () => {
    const config = { data: { path: join(data, "news.jsonl") }, epochs: 1, width: 16, layers: 1 };
    const run = await house.client.call(createRun, {
      body: { recipe: "text-classify", name: "news", config: { ...config, test_fraction: 0.2 } },
    });
    await house.untilState(run.id, "finished");
    const { page } = await signedInPage(browser, house, { locale: "zh", width: 390 });
    await page.goto(`/runs/${run.id}/files`);
    await page.getByRole("button", { name: "试 16 个测试样本" }).click();
    const first = page.locator("section.try li").first();
    await first.getByText(/^news\.jsonl:\d+$/).waitFor();
    await first.getByText(/(rain and wind|a goal in minute)/).waitFor();
    const fits = await page.evaluate(
      () => document.documentElement.scrollWidth <= document.documentElement.clientWidth,
    );
    expect(fits).toBe(true);
  });
});
