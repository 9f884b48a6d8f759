// Builds dist/: the server and its database thread, the command line, and the web pages.
// Our own TypeScript is bundled; what comes from npm stays in node_modules.
import "./require-node.cjs";
import { spawnSync } from "node:child_process";
import { chmodSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { distFolder, inRoot, root } from "./bootstrap/paths.mjs";

export const sharedOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  // Packages stay outside except our own workspaces, which exist as TypeScript only.
  plugins: [
    {
      name: "npm-packages-outside",
      setup(build) {
        build.onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) =>
          kind === "entry-point" || name.startsWith("@spotter/")
            ? undefined
            : { path: name, external: true },
        );
      },
    },
  ],
  logLevel: "warning",
};

export function nodeBundles(outFolder) {
  return [
    {
      ...sharedOptions,
      entryPoints: {
        main: "apps/server/src/main.ts",
        "db-thread": "apps/server/src/db-thread.ts",
      },
      outdir: path.join(outFolder, "server"),
    },
    {
      ...sharedOptions,
      entryPoints: { spotter: "apps/cli/src/main.ts" },
      outdir: path.join(outFolder, "cli"),
      banner: { js: "#!/usr/bin/env node" },
    },
  ];
}

async function buildEverything() {
  // Built beside and renamed, so that a running server never serves half a build.
  const next = `${distFolder}.next`;
  rmSync(next, { recursive: true, force: true });
  await Promise.all(nodeBundles(next).map((options) => esbuild.build(options)));
  chmodSync(path.join(next, "cli/spotter.js"), 0o755);
  buildWeb(path.join(next, "web"));
  rmSync(distFolder, { recursive: true, force: true });
  renameSync(next, distFolder);
}

function buildWeb(outFolder) {
  const vite = inRoot("node_modules/vite/bin/vite.js");
  const args = [vite, "build", "--outDir", outFolder, "--emptyOutDir", "--logLevel", "warn"];
  const result = spawnSync(process.execPath, args, { cwd: inRoot("apps/web"), stdio: "inherit" });
  if (result.status !== 0) process.exit(1);
}

if (process.argv[1] === import.meta.filename) await buildEverything();
