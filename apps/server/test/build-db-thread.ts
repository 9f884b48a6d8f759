// Runs once before the tests: bundles the write thread, which a worker can only load as JavaScript.
import { mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import type { TestProject } from "vitest/node";

const root = fileURLToPath(new URL("../../../", import.meta.url));

declare module "vitest" {
  export interface ProvidedContext {
    dbThreadFile: string;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  const folder = path.join(root, ".cache/test");
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "db-thread.js");
  // Several test processes build at once; each sees a whole file.
  const beside = `${file}.${process.pid}.${project.name}.js`;
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: ["apps/server/src/db-thread.ts"],
    outfile: beside,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    packages: "external",
    alias: { "@spotter/contract": path.join(root, "packages/contract/src/index.ts") },
    logLevel: "warning",
  });
  renameSync(beside, file);
  project.provide("dbThreadFile", file);
}
