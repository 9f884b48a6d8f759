// A run diverges: the alert is on the page before anybody looks, reaches a receiver, and survives a killed server.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type AlertRule, createRun, sendRunEvents } from "@spotter/contract";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { CommandLine } from "./harness/command-line.ts";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

describe("alerts", () => {
  let house: House;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  let server: Server;
  let address: string;
  const received: string[] = [];
  let status = 200;
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.on("data", (chunk: Buffer) => received.push(chunk.toString()));
      request.on("end", () => response.writeHead(status).end("seen"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    house = await House.open({ env: { SPOTTER_ALERT_PRIVATE_TARGETS: "allow" } });
    browser = await openBrowser();
    ({ page, problems } = await signedInPage(browser, house));
    await page.getByRole("button", { name: "Skip" }).click();
  });
  afterAll(async () => {
    await browser.close();
    await house.close();
    server.closeAllConnections();
    server.close();
  });

  it("are set up on the pages: a target that is tested, and a rule that uses it", async () => {
    await page.goto("/alerts/targets");
    await page.getByRole("button", { name: "New target" }).click();
    const sheet = page.locator(".el-drawer");
    await sheet.getByLabel("Name").fill("ops");
    await sheet.getByLabel("Address").fill(address);
    await sheet.getByRole("button", { name: "Save" }).click();
    await page.getByText(/^whs_/).waitFor();
    await page.getByRole("button", { name: "Send a test" }).click();
    await page.getByText("delivered", { exact: true }).waitFor();
    expect(JSON.parse(received[0] ?? "")).toMatchObject({ event: "alert-test" });

    await page.goto("/alerts/rules");
    await page.getByRole("button", { name: "New rule" }).click();
    await sheet.getByLabel("Name", { exact: true }).fill("Loss diverges");
    await sheet.getByText("ops", { exact: false }).first().click();
    await sheet.getByRole("button", { name: "Save" }).click();
    await page.getByText("Any metric is NaN or infinite").waitFor();
    expect(problems).toEqual([]);
  });

  it("appear live when a training diverges to NaN, at the bell and in the list, and lead to the run", async () => {
    await page.goto("/alerts");
    await page.getByText("Nothing has fired yet.").waitFor();
    // Each step multiplies every weight by 1 - 10 · 1 = -9: they overflow within a hundred steps.
    const run = await house.client.call(createRun, {
      body: {
        ...{ recipe: "vision", name: "diverges" },
        config: {
          ...{ epochs: 6, width: 4, batch_size: 64, warmup_epochs: 0 },
          ...{ learning_rate: 10, weight_decay: 1, gradient_clip: null },
        },
      },
    });
    await page
      .getByText(/ is (NaN|−?∞)/)
      .first()
      .waitFor({ timeout: 120_000 });
    await page.getByRole("link", { name: "Alerts, 1 unread" }).waitFor();
    await until("the webhook has the alert", () =>
      received.some((body) => JSON.parse(body).event === "alert-fired"),
    );
    await page.getByRole("link", { name: `#${run.id} diverges` }).click();
    await page.waitForURL(new RegExp(`/runs/${run.id}/charts`));
    await page.goBack();
    await page.getByRole("button", { name: "Mark all as read" }).click();
    await expect.poll(() => page.getByRole("link", { name: /unread/ }).count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it("fired just before the server was killed are delivered by the next one", async () => {
    status = 503;
    const before = received.length;
    const run = await house.client.call(createRun, { body: { name: "own script" } });
    const series = { loss: { step: [1], time: [Date.now() / 1000], value: ["NaN" as const] } };
    await house.client.call(sendRunEvents, {
      params: { run_id: run.id },
      body: { protocol: 1, attempt: 1, seq: 1, events: [{ type: "metric-points", series }] },
    });
    await until("one try", () => received.length > before);
    await house.kill();
    status = 200;
    await house.start();
    const ids = () =>
      received
        .slice(before)
        .map((body) => JSON.parse(body) as { delivery_id: string; run: { id: number } })
        .filter(({ run: { id } }) => id === run.id)
        .map(({ delivery_id }) => delivery_id);
    await until("another try", () => ids().length > 1);
    expect(new Set(ids()).size).toBe(1);
  });

  it("are listed and made from the command line", async () => {
    const cli = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await cli.run(args);
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      return stdout;
    };
    expect(await run("alerts", "--open")).toContain("loss is NaN");
    const made = await run("alerts", "add", "high", "--metric", "loss", "--above", "5", "--json");
    const { id } = JSON.parse(made) as { id: number };
    expect(await run("alerts", "rules")).toContain("loss > 5");
    await run("alerts", "remove", String(id));
    // What stands behind a subcommand is its own, though `alerts` alone has an option of that name.
    const one = JSON.parse(
      await run("alerts", "add", "one", "--state", "failed", "--run", "1", "--json"),
    ) as AlertRule;
    expect(one.scope.run_id).toBe(1);
    await run("alerts", "remove", String(one.id));
    expect(await run("alerts", "rules")).not.toContain("loss > 5");
    expect(await run("alerts", "targets")).toContain("ops");
    expect(await run("alerts", "targets", "test", "1")).toContain("delivered");
    expect(await run("alerts", "deliveries")).toContain("alert-fired");
    const wrong = await cli.run(["alerts", "add", "nothing"]);
    expect(wrong).toMatchObject({ code: 2 });
    await run("alerts", "targets", "remove", "1");
    expect(await run("alerts", "targets")).toContain("No targets");
    cli.remove();
  });
});
