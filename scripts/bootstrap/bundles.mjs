// The step that builds server, CLI and web into dist/, whenever a source of theirs has changed.
import { existsSync } from "node:fs";
import { distFolder, inRoot, root } from "./paths.mjs";
import { runVisibly } from "./programs.mjs";
import { say } from "./say.mjs";
import { hashOf } from "./stamps.mjs";

const sources = [
  "apps/cli/src",
  "apps/server/src",
  "apps/web/index.html",
  "apps/web/public",
  "apps/web/src",
  "apps/web/vite.config.ts",
  "package-lock.json",
  "packages/client/src",
  "packages/contract/src",
  "packages/tfevents/src",
  "scripts/build.mjs",
  "tsconfig.base.json",
];

export const bundles = {
  name: "bundles",
  isDownload: false,

  fingerprint() {
    return hashOf(root, sources, (file) => !file.endsWith(".test.ts"));
  },

  isIntact() {
    const outputs = ["server/main.js", "cli/spotter.js", "web/index.html"];
    return outputs.every((file) => existsSync(`${distFolder}/${file}`));
  },

  async run() {
    say("Building server, command line and web pages ...");
    // A process of its own: what it imports exists only since the step before.
    await runVisibly(process.execPath, [inRoot("scripts/build.mjs")], {
      problem: "The build failed; its messages are above.",
    });
  },
};
