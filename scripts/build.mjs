// Builds dist/: the server and its database thread, the command line, and the web pages.
// Our own TypeScript is bundled; what comes from npm stays in node_modules. Some parts only:
//   node scripts/build.mjs [server] [cli] [web]
import "./require-node.cjs";
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { distFolder, inRoot, root } from "./bootstrap/paths.mjs";
import { runVisibly } from "./bootstrap/programs.mjs";
import { endWith, SetupProblem } from "./bootstrap/say.mjs";

const bundledPackages = /^(zod|kysely)(\/|$)/;

export const sharedOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  // Node reads the maps at the start; the sources themselves would only fill its memory.
  sourcesContent: false,
  // One character beyond ASCII, in a comment as well, makes V8 keep the whole bundle with two bytes a character.
  minifyWhitespace: true,
  charset: "ascii",
  legalComments: "none",
  // Packages stay outside except our own workspaces, which exist as TypeScript only, and two that are made of
  // hundreds of small modules: inside the bundle the idle server needs 20 MB less.
  plugins: [
    {
      name: "npm-packages-outside",
      setup(build) {
        build.onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) =>
          kind === "entry-point" || name.startsWith("@spotter/") || bundledPackages.test(name)
            ? undefined
            : { path: name, external: true },
        );
        // zod's sentences in fifty languages, of which only the English are ever said.
        build.onResolve({ filter: /^\.\.\/locales\/index\.js$/ }, ({ resolveDir }) =>
          resolveDir.includes("/node_modules/zod/")
            ? { path: path.resolve(resolveDir, "../locales/en.js") }
            : undefined,
        );
      },
    },
  ],
  logLevel: "warning",
};

/** The bundles of server and command line, as esbuild wants them told. */
export function nodeBundles(outFolder) {
  return {
    server: {
      ...sharedOptions,
      entryPoints: {
        main: "apps/server/src/main.ts",
        "db-thread": "apps/server/src/db-thread.ts",
        "seal-thread": "apps/server/src/domains/metrics/seal-thread.ts",
      },
      outdir: path.join(outFolder, "server"),
    },
    cli: {
      ...sharedOptions,
      entryPoints: { spotter: "apps/cli/src/main.ts" },
      outdir: path.join(outFolder, "cli"),
      banner: { js: "#!/usr/bin/env node" },
    },
  };
}

const builders = {
  server: (next) => esbuild.build(nodeBundles(next).server),
  cli: async (next) => {
    await esbuild.build(nodeBundles(next).cli);
    chmodSync(path.join(next, "cli/spotter.js"), 0o755);
  },
  web: buildWeb,
};

async function build(parts) {
  // Built beside and renamed, so that a running server never serves half a build.
  const next = `${distFolder}.next`;
  rmSync(next, { recursive: true, force: true });
  await Promise.all(parts.map((part) => builders[part](next)));
  mkdirSync(distFolder, { recursive: true });
  for (const part of parts) {
    rmSync(path.join(distFolder, part), { recursive: true, force: true });
    renameSync(path.join(next, part), path.join(distFolder, part));
  }
  rmSync(next, { recursive: true });
}

function buildWeb(next) {
  const vite = inRoot("node_modules/vite/bin/vite.js");
  const flags = ["--outDir", path.join(next, "web"), "--emptyOutDir", "--logLevel", "warn"];
  return runVisibly(process.execPath, [vite, "build", ...flags], {
    cwd: inRoot("apps/web"),
    problem: "The web pages could not be built; the messages are above.",
  });
}

if (process.argv[1] === import.meta.filename) {
  const parts = process.argv.slice(2);
  const unknown = parts.filter((part) => builders[part] === undefined);
  try {
    if (unknown.length > 0) {
      throw new SetupProblem(
        `There is no part ${unknown.join(", ")}; there are server, cli and web.`,
      );
    }
    await build(parts.length > 0 ? parts : Object.keys(builders));
  } catch (error) {
    endWith(error);
  }
}
