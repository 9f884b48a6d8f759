// All pages with one of everything on them, walked through as no person would: on a phone for what a finger misses, in
// Chinese for words of another language, and at addresses of things that are not there.
import type { Browser, Page, Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, signedInPage } from "./harness/browser.ts";
import { type Furnished, furnish, GIVEN_NAMES } from "./harness/furnished.ts";
import { until } from "./harness/until.ts";

describe("every page", { timeout: 600_000 }, () => {
  let furnished: Furnished;
  let browser: Browser;
  beforeAll(async () => {
    furnished = await furnish();
    browser = await openBrowser();
  }, 600_000);
  afterAll(async () => {
    await browser.close();
    await furnished.close();
  });

  it("has room for a finger on everything that is touched, and scrolls to no side on a phone", async () => {
    const { page, problems } = await signedInPage(browser, furnished.house, PHONE);
    const found: string[] = [];
    for (const address of furnished.pages) {
      await open(page, address);
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (sideways > 0) found.push(`${address} scrolls sideways by ${sideways}`);
      for (const small of await tooSmall(page)) found.push(`${address} ${small}`);
    }
    expect(found).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("speaks one language: in Chinese no word is left in English but names, code and units", async () => {
    const options = { locale: "zh", theme: "dark" } as const;
    const { page, problems } = await signedInPage(browser, furnished.house, options);
    const found = new Map<string, string>();
    for (const address of furnished.pages) {
      await open(page, address);
      for (const text of await foreignTexts(page)) if (!found.has(text)) found.set(text, address);
    }
    expect([...found].map(([text, address]) => `${address}: ${text}`)).toEqual([]);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it("says calmly that a thing is not there, with a way back", async () => {
    const { page } = await signedInPage(browser, furnished.house);
    for (const address of furnished.missing) {
      await page.goto(address);
      const main = page.locator("main");
      await main.getByText(/There is no|has no version|is not there|leads nowhere/).waitFor();
      expect([address, await main.locator("[role=alert]").count()]).toEqual([address, 0]);
      expect([address, await main.locator("a[href]").count()]).not.toEqual([address, 0]);
    }
    await page.context().close();
  });

  it("tells what marks above a chart hold, to a pointer and to the keyboard", async () => {
    const { page } = await signedInPage(browser, furnished.house);
    await page.goto(`/runs/${furnished.changed}/charts`);
    const chart = page.locator('[data-chart="train/loss"]');
    const lane = chart.getByRole("listbox");
    await lane.waitFor();
    expect(await lane.getAttribute("aria-label")).toMatch(/1 live change/);
    await lane.focus();
    await page.keyboard.press("Home");
    await chart.getByRole("option", { selected: true }).waitFor({ state: "attached" });
    const said: string[] = [];
    for (const option of await chart.getByRole("option").all()) {
      said.push((await option.textContent()) ?? "");
      await page.keyboard.press("ArrowRight");
    }
    // The change stands alone, though its own checkpoint lies at the same step.
    const change = said.filter((text) => text.includes("learning_rate"));
    expect(change).toHaveLength(1);
    expect(change[0]).toContain("试一试更小的");
    expect(change[0]).not.toMatch(/checkpoint/i);
    await page.context().close();
  });

  it("gives the focus to a sheet or panel that is opened, and back to what opened it", async () => {
    const { page } = await signedInPage(browser, furnished.house);
    for (const [address, name, field] of [
      ["/alerts/targets", "New target", "Name"],
      ["/alerts/rules", "New rule", "Name"],
      ["/runs", "Saved views", "Name of this view"],
    ] as const) {
      await open(page, address);
      const opener = page.getByRole("button", { name });
      await opener.focus();
      await page.keyboard.press("Enter");
      const first = page.getByRole("textbox", { name: field }).or(page.getByPlaceholder(field));
      const hasFocus = (place: typeof opener) =>
        place.first().evaluate((element) => element === document.activeElement);
      await until(`${name}: the focus is in the first field`, () => hasFocus(first));
      await page.keyboard.press("Escape");
      await until(`${name}: the focus is back`, () => hasFocus(opener));
    }
    await page.context().close();
  });

  it("opens marks that stand as one by a look at where they are", async () => {
    const { page } = await signedInPage(browser, furnished.house);
    // The whole of the run is so long that its checkpoints stand close together.
    await page.goto(`/runs/${furnished.parent}/charts?from=0&to=2000`);
    const chart = page.locator('[data-chart="train/loss"]');
    const lane = chart.getByRole("listbox");
    await lane.focus();
    await page.keyboard.press("End");
    await chart.getByText(/^\d checkpoints$/).waitFor();
    const before = await chart.getByRole("option").count();
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => Number(url.searchParams.get("to")) < 200);
    await lane.focus();
    await page.keyboard.press("Home");
    await chart.getByRole("option").nth(before).waitFor({ state: "attached" });
    await page.context().close();
  });
});

const PHONE = { width: 390, height: 844 };

/** At an address, with all that it shows: nothing is asked of the server any more, and nothing is loading. */
async function open(page: Page, address: string): Promise<void> {
  const asked = new Set<Request>();
  const begun = (request: Request) => {
    if (request.resourceType() === "fetch" && !request.url().includes("/stream"))
      asked.add(request);
  };
  const ended = (request: Request) => asked.delete(request);
  page.on("request", begun);
  page.on("requestfinished", ended);
  page.on("requestfailed", ended);
  await page.goto(address);
  await page.locator("main h1").first().waitFor();
  await until(`${address} is all there`, async () => {
    const isLoading = await page.evaluate(async () => {
      // What an answer brought may ask for more, and is on the page a frame later.
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      // Charts below the fold stay busy until they are seen.
      return [...document.querySelectorAll("[aria-busy=true]")].some(
        (element) => element.getBoundingClientRect().top < innerHeight,
      );
    });
    return asked.size === 0 && !isLoading;
  });
  page.off("request", begun);
  page.off("requestfinished", ended);
  page.off("requestfailed", ended);
}

const TOUCHED =
  "a, button, input, select, textarea, summary, [role=button], [role=listbox], .el-radio, .el-checkbox";

/** Everything that can be touched and is under 44 px, with its size; links inside a sentence are read, not aimed at. */
function tooSmall(page: Page): Promise<string[]> {
  return page.evaluate((selector) => {
    const boxOf = (element: Element) => {
      // An input's touch area is the frame around it; a radio's or a tick's its whole label.
      const frame = element.closest(
        ".el-input__wrapper, .el-select__wrapper, .el-radio, .el-checkbox, .el-slider, .el-switch, label",
      );
      return (frame ?? element).getBoundingClientRect();
    };
    const isInSentence = (element: HTMLElement) =>
      element.tagName === "A" &&
      getComputedStyle(element).display === "inline" &&
      [...(element.parentElement?.childNodes ?? [])].some(
        (node) => node.nodeType === Node.TEXT_NODE && (node.textContent?.trim().length ?? 0) > 3,
      );
    return [...document.querySelectorAll<HTMLElement>(selector)].flatMap((element) => {
      const { width, height, bottom } = boxOf(element);
      const isSeen =
        element.getClientRects().length > 0 &&
        bottom > 0 &&
        getComputedStyle(element).visibility !== "hidden" &&
        !element.matches(".visually-hidden, .skip");
      if (!isSeen || isInSentence(element) || (width >= 43.5 && height >= 43.5)) return [];
      const words = element.textContent?.trim() || element.getAttribute("aria-label") || "";
      const text = words.replace(/\s+/g, " ").slice(0, 60);
      return [`${element.tagName} "${text}" ${Math.round(width)} x ${Math.round(height)}`];
    });
  }, TOUCHED);
}

/** Products, formats, models and methods that are called the same in every language. */
const KNOWN = new Set(
  `Spotter TensorBoard Python Node SQLite PostgreSQL Webhook English GPU CPU CSV JSON PNG JPEG BMP WEBP GIF WAV FLAC SHA
   NaN KiB MiB GiB Ctrl CNN ResNet LSTM GRU Transformer Hub LoRA IDX MNIST Nesterov Welch Beta Linux AMD Intel EPYC Xeon
   Processor Core Default ECONNREFUSED Enter Esc Alt`.split(/\s+/),
);

/**
 * What is seen or read aloud on the page in words of another language: two Latin words side by side, or one that begins
 * like a label. A single small word is a value of a config or a name.
 */
async function foreignTexts(page: Page): Promise<string[]> {
  const texts = await page.evaluate(() => {
    const said: string[] = [];
    // What a training or a program wrote is its own, and options are values of its config.
    const OWN = "code, pre, kbd, script, style, textarea, [lang=en], [role=log], [role=option]";
    const isSaid = (element: Element | null) =>
      element !== null && element.getClientRects().length > 0 && element.closest(OWN) === null;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode())
      if (isSaid(node.parentElement)) said.push(node.textContent ?? "");
    for (const element of document.querySelectorAll("body *"))
      for (const name of ["aria-label", "title", "placeholder"])
        if (isSaid(element)) said.push(element.getAttribute(name) ?? "");
    return said;
  });
  const isUnknown = (word: string) => !KNOWN.has(word) && !GIVEN_NAMES.includes(word);
  const isForeign = (text: string) => {
    const phrases = text.match(/[A-Za-z][\w./:@=+-]*(?: [A-Za-z][\w./:@=+-]*)*/g) ?? [];
    return phrases.some((phrase) => {
      const words = phrase.split(" ").filter((word) => /^[A-Za-z]{2,}[.:]?$/.test(word));
      const unknown = words.filter((word) => isUnknown(word.replace(/[.:]$/, "")));
      return unknown.length > 1 || unknown.some((word) => /^[A-Z]/.test(word));
    });
  };
  return [...new Set(texts.map((text) => text.replace(/\s+/g, " ").trim()).filter(isForeign))];
}
