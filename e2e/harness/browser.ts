// The system's browser, as the test script found it, with a page that is signed in.
import { type Browser, chromium, type Page } from "playwright-core";
import { ADMIN, type House } from "./house.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function openBrowser(): Promise<Browser> {
  const executablePath = process.env.SPOTTER_BROWSER;
  if (executablePath === undefined)
    throw new Error("SPOTTER_BROWSER is not set; run this through npm test");
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

export interface PageOptions {
  readonly locale?: "en" | "zh";
  readonly theme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
}

/** A page in a context of its own, signed in through the sign-in form; errors in its console fail the test. */
export async function signedInPage(
  browser: Browser,
  house: House,
  options: PageOptions = {},
): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext({
    baseURL: house.url,
    locale: options.locale === "zh" ? "zh-CN" : "en-US",
    colorScheme: options.theme ?? "light",
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`${error.message}\n${error.stack ?? ""}`));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`${message.text()} (${message.location().url})`);
  });
  await page.goto("/sign-in");
  await page.locator("input[autocomplete=username]").fill(ADMIN.name);
  await page.locator("input[type=password]").fill(ADMIN.password);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname !== "/sign-in");
  // The page asks who is signed in before anybody is: that 401 is an answer, not a fault.
  problems.length = 0;
  return { page, problems };
}
