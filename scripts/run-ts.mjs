// Runs one TypeScript file under Node 20, which cannot read TypeScript: bundles it into .cache/ and
// imports the bundle. Used by checks, generators, benches and seeds:
//   node scripts/run-ts.mjs <file.ts> [arguments]
import "./require-node.cjs";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { cacheFolder, root } from "./bootstrap/paths.mjs";
import { sharedOptions } from "./build.mjs";

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("Usage: node scripts/run-ts.mjs <file.ts> [arguments]\n");
  process.exit(2);
}

const source = path.resolve(file);
const folder = path.join(cacheFolder, "run-ts");
const name = path.relative(root, source).replace(/[^a-z0-9]+/gi, "-");
const bundle = path.join(folder, `${name}-${process.pid}.mjs`);
mkdirSync(folder, { recursive: true });
// Runs in parallel must not share a bundle; each removes its own.
process.on("exit", () => {
  rmSync(bundle, { force: true });
  rmSync(`${bundle}.map`, { force: true });
});
await esbuild.build({ ...sharedOptions, entryPoints: [source], outfile: bundle });
process.setSourceMapsEnabled(true);
process.argv = [process.execPath, source, ...rest];
await import(pathToFileURL(bundle).href);
