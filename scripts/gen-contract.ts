// Writes what is generated from the contract: JSON Schema, the worker's Python models, OpenAPI, the
// pages of error codes and settings. `--check` writes nothing and fails when a committed file differs.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { errorPage } from "./contract/error-page.ts";
import { openApi } from "./contract/open-api.ts";
import { pythonConfigs } from "./contract/python-configs.ts";
import { pythonModels } from "./contract/python-models.ts";
import { schemaFiles } from "./contract/schema-files.ts";
import { settingsPage } from "./contract/settings-page.ts";

const schemaFolder = "packages/contract/schema";

const wanted = generate();
const stale = existsSync(schemaFolder)
  ? readdirSync(schemaFolder)
      .map((file) => path.join(schemaFolder, file))
      .filter((file) => !wanted.has(file))
  : [];

if (process.argv.includes("--check")) check();
else write();

function generate(): Map<string, string> {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const files = new Map<string, string>();
  for (const [name, document] of schemaFiles("packages/contract/src")) {
    files.set(path.join(schemaFolder, name), toText(document));
  }
  files.set("docs/reference/openapi.json", toText(openApi(version)));
  files.set("docs/reference/errors.md", errorPage());
  files.set("docs/reference/settings.md", settingsPage());
  files.set("worker/src/spotter_worker/contract_models.py", pythonModels());
  files.set("worker/src/spotter_worker/recipe_configs.py", pythonConfigs());
  return files;
}

function check(): void {
  const different = [...wanted].filter(
    ([file, text]) => !existsSync(file) || readFileSync(file, "utf8") !== text,
  );
  const names = [...different.map(([file]) => file), ...stale];
  if (names.length === 0) return;
  console.error(`Not what the contract generates: ${names.join(", ")}`);
  console.error("Run: node scripts/run-ts.mjs scripts/gen-contract.ts");
  process.exitCode = 1;
}

function write(): void {
  for (const file of stale) rmSync(file);
  for (const [file, text] of wanted) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  console.log(`Wrote ${wanted.size} files.`);
}

function toText(document: object): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
