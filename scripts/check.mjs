// `npm run check [-- <name> ...]`: format, lint, types, floors, cycles, tree, dead code, generated files
// and the Python checks. One line each; what failed shows its output.
import "./require-node.cjs";
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import path from "node:path";
import { environmentFolder, inRoot, root } from "./bootstrap/paths.mjs";
import { ensureReady } from "./bootstrap/ready.mjs";
import { endWith, say, seconds } from "./bootstrap/say.mjs";

const node = process.execPath;
const tsc = [node, inRoot("node_modules/typescript/bin/tsc"), "-p"];
const vueTsc = [node, inRoot("node_modules/vue-tsc/bin/vue-tsc.js"), "-p"];
const runTs = [node, inRoot("scripts/run-ts.mjs")];
const python = path.join(environmentFolder, "bin", "python");
const worker = inRoot("worker");

const checks = {
  "format and lint": [
    node,
    inRoot("node_modules/@biomejs/biome/bin/biome"),
    "check",
    "--error-on-warnings",
  ],
  "types: contract": [...tsc, "packages/contract"],
  "types: tfevents": [...tsc, "packages/tfevents"],
  "types: client": [...tsc, "packages/client"],
  "types: server": [...tsc, "apps/server"],
  "types: cli": [...tsc, "apps/cli"],
  "types: web": [...vueTsc, "apps/web"],
  "types: scripts": [...tsc, "."],
  floors: [...runTs, "scripts/check-floors.ts"],
  cycles: [...runTs, "scripts/check-cycles.ts"],
  pages: [...runTs, "scripts/check-pages.ts"],
  tree: [...runTs, "scripts/check-tree.ts"],
  lockfile: [...runTs, "scripts/check-lockfile.ts"],
  "generated files": [...runTs, "scripts/gen-contract.ts", "--check"],
  "dead code": [node, inRoot("node_modules/knip/bin/knip.js"), "--no-progress"],
  "python lint": [python, "-m", "ruff", "check", "."],
  "python format": [python, "-m", "ruff", "format", "--check", "."],
  "python types": [python, "-m", "mypy", "--config-file", "pyproject.toml"],
  "python types: package": [python, "-m", "mypy", "--config-file", "pyproject.toml"],
};
const workingFolders = { "python types": worker, "python types: package": inRoot("sdk") };

try {
  await ensureReady({ dev: true, build: false });
} catch (error) {
  endWith(error);
}

const wanted = process.argv.slice(2);
const queue = Object.entries(checks).filter(
  ([name]) => wanted.length === 0 || wanted.some((word) => name.includes(word)),
);
if (queue.length === 0) {
  say(`No check is named so. There are: ${Object.keys(checks).join(", ")}.`);
  process.exit(2);
}

const failed = [];
const numLanes = Math.max(1, Math.min(4, availableParallelism()));
await Promise.all(Array.from({ length: numLanes }, runLane));
say(failed.length === 0 ? "check: all good" : `check: failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function runLane() {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [name, command] = next;
    const started = performance.now();
    const { code, output } = await run(command, workingFolders[name] ?? root);
    const took = seconds(performance.now() - started);
    say(`${code === 0 ? "ok    " : "FAILED"}  ${name.padEnd(18)} ${took.padStart(7)}`);
    if (code !== 0) {
      failed.push(name);
      say(output.trimEnd().replaceAll(/^/gm, "        "));
    }
  }
}

function run([program, ...args], cwd) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => {
        output += text;
      });
    }
    child.once("error", (error) => resolve({ code: 1, output: error.message }));
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
