// Checks each source file by itself: length, opening sentence, name, use of the environment.
import { readFileSync } from "node:fs";
import { findPageViolations, type PageRules } from "./checks/pages.ts";
import { readSources, report } from "./checks/source-files.ts";

const { pages } = JSON.parse(readFileSync("floors.json", "utf8")) as { pages: PageRules };
const sources = readSources([".ts", ".vue", ".mjs", ".cjs", ".py"]);
report(sources.flatMap(({ path, text }) => findPageViolations(path, text, pages)));
