// Finds a browser for the whole-house tests: SPOTTER_BROWSER, an installed Chrome, Chromium or Edge,
// else (on Debian as root) apt's chromium. There is no way to run the suite without one.
import { existsSync } from "node:fs";
import { askProgram } from "../bootstrap/programs.mjs";
import { SetupProblem } from "../bootstrap/say.mjs";
import { findOnPath, installPackage, mayInstall } from "./debian.mjs";

const names = [
  "google-chrome",
  "google-chrome-stable",
  "chromium",
  "chromium-browser",
  "microsoft-edge",
  "microsoft-edge-stable",
];
const macPlaces = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
];

const help =
  "The tests need a browser and none could be had. Install Google Chrome, Chromium or Microsoft Edge (Debian: sudo apt-get install -y chromium), or set SPOTTER_BROWSER to the path of one, and repeat.";

/** The path of a browser that starts; installs one where that is allowed. */
export async function provideBrowser() {
  const named = process.env.SPOTTER_BROWSER;
  if (named) {
    if (starts(named)) return named;
    throw new SetupProblem(
      `SPOTTER_BROWSER is set to ${named}, but that does not start as a browser. Correct or unset it.`,
    );
  }
  const installed = findInstalled();
  if (installed !== undefined) return installed;
  if (mayInstall()) await installPackage("chromium", help);
  const afterwards = findInstalled();
  if (afterwards === undefined) throw new SetupProblem(help);
  return afterwards;
}

function findInstalled() {
  const onPath = names.map(findOnPath).filter((place) => place !== undefined);
  const onMac = macPlaces.filter((place) => existsSync(place));
  return [...onPath, ...onMac].find(starts);
}

function starts(browser) {
  return askProgram(browser, ["--version", "--no-sandbox"])?.trim().length > 0;
}
