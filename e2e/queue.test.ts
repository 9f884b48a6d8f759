// The queue as people see it: lanes, reasons, another order by mouse and by keys, priorities, and the command line's view.
import { reorder, setPriority } from "@spotter/client";
import {
  controlTraining,
  createRun,
  getQueue,
  PRIORITIES,
  type QueueView,
} from "@spotter/contract";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { CommandLine } from "./harness/command-line.ts";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

describe("the queue", { timeout: 240_000 }, () => {
  let house: House;
  let browser: Browser;
  let running: number;
  let waiting: number[];
  beforeAll(async () => {
    house = await House.open();
    browser = await openBrowser();
    running = await sleep("fills the machine", { limits: { time_s: 7200 } });
    await house.untilState(running, "running");
    waiting = [await sleep("first"), await sleep("second"), await sleep("third")];
  });
  afterAll(async () => {
    await browser.close();
    for (const id of [...waiting, running])
      await house.client.call(controlTraining, { body: { action: "cancel", run_id: id } });
    await until("nothing runs", async () => {
      const view = await house.client.call(getQueue, {});
      return view.running.length + view.waiting.length === 0;
    });
    await house.close();
  });

  async function sleep(name: string, wish: object = {}): Promise<number> {
    const config = { command: ["sleep", "900"] };
    const body = { recipe: "command" as const, name, config, ...wish };
    return (await house.client.call(createRun, { body })).id;
  }
  const order = async () =>
    (await house.client.call(getQueue, {})).waiting.map(({ job_id: id }) => id);
  const shown = async (page: Page) =>
    (await page.locator("ol.list .name .id").allInnerTexts()).map(Number);

  it("says why each waits, and another order is made by mouse and by keys", async () => {
    const { page, problems } = await signedInPage(browser, house, {});
    await page.getByRole("button", { name: /^Skip$/ }).click();
    await page.goto("/queue");
    const rows = page.locator("ol.list > li");
    await rows.nth(2).waitFor();
    expect(await rows.first().innerText()).toMatch(
      new RegExp(`Needs \\d+ CPU cores?, held by run ${running} until about \\d\\d:\\d\\d\\.`),
    );
    await page.locator(`section.lanes a.bar[href="/runs/${running}/charts"]`).waitFor();

    const [first, second, third] = waiting as [number, number, number];
    const handle = (id: number) => page.getByRole("button", { name: `Move run ${id}:` });
    const from = await handle(third).boundingBox();
    const to = await rows.first().boundingBox();
    if (from === null || to === null) throw new Error("the rows are not on the page");
    await page.mouse.move(from.x + 8, from.y + 8);
    await page.mouse.down();
    await page.mouse.move(to.x + 12, to.y + 4, { steps: 8 });
    await page.mouse.up();
    await until("the third stands first", async () => (await order())[0] === third);
    await until("the page shows it", async () => (await shown(page))[0] === third);

    await handle(second).focus();
    await page.keyboard.press("Alt+ArrowUp");
    await until("the second stands before the first", async () => {
      return JSON.stringify(await order()) === JSON.stringify([third, second, first]);
    });
    // Rows that are put elsewhere keep the focus: the next key moves the same one, whoever moved it meanwhile.
    const holdsFocus = () =>
      handle(second).evaluate((element) => element === document.activeElement);
    await until("the page shows it", async () => (await shown(page))[1] === second);
    expect(await holdsFocus()).toBe(true);
    await reorder(house.client, [second, third, first]);
    await until("the page shows another's order", async () => (await shown(page))[0] === second);
    expect(await holdsFocus()).toBe(true);
    await page.keyboard.press("Alt+ArrowDown");
    await until("it stands where the key put it", async () => {
      return JSON.stringify(await order()) === JSON.stringify([third, second, first]);
    });
    expect(problems).toEqual([]);
  });

  it.each([
    { locale: "en", theme: "light", width: 1280 },
    { locale: "zh", theme: "dark", width: 390 },
  ] as const)("fits and changes a priority ($locale, $width)", async (options) => {
    const { page, problems } = await signedInPage(browser, house, options);
    await page.getByRole("button", { name: /^(Skip|跳过)$/ }).click();
    await page.goto("/queue");
    const last = page.locator("ol.list > li").last();
    const id = Number(await last.locator(".id").innerText());
    await last.locator(".el-select").click();
    const option = page.getByRole("option", { name: options.locale === "zh" ? "紧急" : "High" });
    await option.waitFor();
    // Somebody else moves rows while the list is open: nothing moves under the hand, and one press is enough.
    const before = await shown(page);
    const answer = page.waitForResponse(async (response) => {
      if (!response.url().endsWith("/api/train/queue")) return false;
      const { waiting } = (await response.json()) as QueueView;
      return waiting[0]?.job_id !== before[0];
    });
    await setPriority(house.client, before[0] as number, PRIORITIES.low);
    await answer;
    expect(await shown(page)).toEqual(before);
    await option.click();
    await until("it stands first", async () => (await order())[0] === id);
    await until("the page shows it", async () => (await shown(page))[0] === id);
    await setPriority(house.client, before[0] as number, PRIORITIES.normal);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - window.innerWidth,
    );
    expect(overflow).toBeLessThanOrEqual(0);
    expect(problems).toEqual([]);
  });

  it("takes several out by keys after one question, and says what became of each", async () => {
    const more = [await sleep("fourth"), await sleep("fifth"), await sleep("sixth")];
    const { page, problems } = await signedInPage(browser, house, {});
    await page.getByRole("button", { name: /^Skip$/ }).click();
    await page.goto("/queue");
    const box = (id: number) => page.getByRole("checkbox", { name: `Select run ${id}` });
    for (const id of more) {
      await box(id).focus();
      await page.keyboard.press(id === more[0] ? "x" : "Space");
    }
    await page.getByRole("button", { name: "Take out of the queue…" }).click();
    // One of them goes away before the answer.
    const body = { action: "cancel" as const, run_id: more[2] as number };
    await house.client.call(controlTraining, { body });
    await page.getByRole("button", { name: "Take out", exact: true }).click();
    await page
      .getByRole("status")
      .getByText(/taken out of the queue/)
      .waitFor();
    await until("they wait no more", async () => {
      const left = await order();
      return more.every((id) => !left.includes(id));
    });
    expect(problems).toEqual([]);

    const seventh = await sleep("seventh");
    const shell = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
    onTestFinished(() => shell.remove());
    const unasked = await shell.run(["queue", "cancel", String(seventh)]);
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining("give --yes")]);
    expect(await order()).toContain(seventh);
    const said = await shell.run(["queue", "cancel", "--yes", String(seventh), String(running)]);
    expect(said.code).toBe(7);
    expect(said.stdout).toContain(`Run ${seventh} is out of the queue.`);
    expect(said.stdout).toContain(`Run ${running} does not wait any more (running)`);
  });

  it("reads and changes by the command line, in Chinese without an English word of ours", async () => {
    const shell = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
    onTestFinished(() => shell.remove());
    const said = await shell.run(["queue", "--lang", "zh"]);
    expect(said.stdout).toContain("由训练");
    expect(said.stdout).not.toMatch(/\b(train|queued|holds|needs|normal)\b/);
    const [top, ...rest] = await order();
    const lowered = await shell.run(["priority", String(top), "low"]);
    expect(lowered.stdout).toContain(`Run ${top} is low now.`);
    expect((await order()).at(-1)).toBe(top);
    const refused = await shell.run(["queue", "move", String(top), "--before", String(rest[0])]);
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain("cannot stand before");
    const usage = await shell.run(["queue", "move", String(top)]);
    expect(usage.code).toBe(2);
  });
});
