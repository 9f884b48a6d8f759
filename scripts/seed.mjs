// `npm run seed -- <scenario>`: fills a running server with a scenario from scripts/seed/.
import "./require-node.cjs";
import { ensureReady } from "./bootstrap/ready.mjs";
import { endWith, say } from "./bootstrap/say.mjs";
import { listScripts, runScript } from "./scripts-in-folder.mjs";

const [wanted, ...rest] = process.argv.slice(2);
const scenarios = listScripts("scripts/seed", [".ts"]);
const file = scenarios.get(wanted ?? "");
if (file === undefined) {
  if (wanted !== undefined) say(`There is no scenario "${wanted}".`);
  say("Usage: npm run seed -- <scenario>, with the server running. Scenarios:");
  for (const name of scenarios.keys()) say(`  ${name}`);
  process.exit(wanted === undefined ? 0 : 2);
}

try {
  await ensureReady();
} catch (error) {
  endWith(error);
}
process.exitCode = await runScript(file, rest);
