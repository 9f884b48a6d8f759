#!/usr/bin/env node
// `npx spotter` from a checkout: runs the built command line, and makes the checkout ready the first time.
import "./require-node.cjs";
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { inRoot } from "./bootstrap/paths.mjs";

const commandLine = inRoot("dist/cli/spotter.js");
if (!existsSync(commandLine)) {
  const { ensureReady } = await import("./bootstrap/ready.mjs");
  const { endWith } = await import("./bootstrap/say.mjs");
  try {
    await ensureReady();
  } catch (error) {
    endWith(error);
  }
}
await import(pathToFileURL(commandLine).href);
