// `npm run bench [-- <name> [arguments]]`: runs every bench in bench/, or the named one.
import "./require-node.cjs";
import { ensureReady } from "./bootstrap/ready.mjs";
import { endWith, say } from "./bootstrap/say.mjs";
import { listScripts, runScript } from "./scripts-in-folder.mjs";

const [wanted, ...rest] = process.argv.slice(2);
const benches = listScripts("bench", [".bench.mjs", ".bench.ts", ".bench.py"]);
if (wanted !== undefined && !benches.has(wanted)) {
  say(`There is no bench "${wanted}". There are: ${[...benches.keys()].join(", ")}`);
  process.exit(2);
}

try {
  await ensureReady({ dev: true });
} catch (error) {
  endWith(error);
}

const failed = [];
for (const [name, file] of benches) {
  if (wanted !== undefined && name !== wanted) continue;
  say(`\n== ${name}`);
  if ((await runScript(file, rest)) !== 0) failed.push(name);
}
if (failed.length > 0) say(`\nBelow their bar or failed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
