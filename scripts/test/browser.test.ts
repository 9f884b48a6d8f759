// Tests of what is said when the browser that was asked for is none.
import { afterEach, expect, test, vi } from "vitest";
import { provideBrowser } from "./browser.mjs";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("a SPOTTER_BROWSER that does not start is named, and nothing else is tried", async () => {
  vi.stubEnv("SPOTTER_BROWSER", "/nowhere/chrome");
  await expect(provideBrowser()).rejects.toThrow(/SPOTTER_BROWSER is set to \/nowhere\/chrome/);
});
