// `npm test [-- <tier> [arguments]]`: provides database and browser, runs the tiers one after the other
// and ends with one line that counts them all. Tiers: small, medium, whole, python.
import "./require-node.cjs";
import { ensureReady } from "./bootstrap/ready.mjs";
import { endWith, say, seconds } from "./bootstrap/say.mjs";
import { provideBrowser } from "./test/browser.mjs";
import { providePostgres } from "./test/postgres.mjs";
import { runPytest, runVitest, tally } from "./test/runners.mjs";

const tiers = {
  small: { projects: ["small"], needs: [] },
  medium: { projects: ["medium-sqlite", "medium-postgres"], needs: ["postgres"] },
  "medium-sqlite": { projects: ["medium-sqlite"], needs: [], isPart: true },
  "medium-postgres": { projects: ["medium-postgres"], needs: ["postgres"], isPart: true },
  whole: { projects: ["whole"], needs: ["bundles", "postgres", "browser"] },
  python: { needs: [] },
};

const [wanted, ...rest] = process.argv.slice(2);
if (wanted !== undefined && tiers[wanted] === undefined) {
  say(`There is no tier "${wanted}". Tiers: ${Object.keys(tiers).join(", ")}.`);
  process.exit(2);
}
const chosen = Object.entries(tiers).filter(([name, tier]) =>
  wanted === undefined ? !tier.isPart : name === wanted,
);

let postgres;
try {
  const needs = new Set(chosen.flatMap(([, tier]) => tier.needs));
  await ensureReady({ dev: true, build: needs.has("bundles") });
  const env = { ...process.env, NODE_ENV: "test" };
  if (needs.has("browser")) env.SPOTTER_BROWSER = await provideBrowser();
  if (needs.has("postgres")) {
    postgres = await providePostgres();
    env.SPOTTER_TEST_DATABASE_URL = postgres.url;
  }
  const total = await runTiers(env);
  say(`\n${tally(total)}`);
  process.exitCode = total.failed > 0 ? 1 : 0;
} catch (error) {
  await postgres?.stop();
  postgres = undefined;
  endWith(error);
} finally {
  await postgres?.stop();
}

async function runTiers(env) {
  const total = { passed: 0, failed: 0, withoutGpu: 0 };
  for (const [name, tier] of chosen) {
    say(`\n== ${name}`);
    const started = performance.now();
    const result =
      tier.projects === undefined
        ? await runPytest(rest, env)
        : await runProjects(tier.projects, env);
    total.passed += result.passed;
    total.failed += result.failed;
    total.withoutGpu += result.withoutGpu;
    const tookMs = performance.now() - started;
    say(`   ${name}: ${tally(result)} (${seconds(tookMs)})`);
  }
  return total;
}

// Side by side, each one file after the other: the two databases' tests wait for workers most of their time.
async function runProjects(projects, env) {
  const results = await Promise.all(projects.map((project) => runVitest(project, rest, env)));
  const sum = (field) => results.reduce((total, result) => total + result[field], 0);
  return { passed: sum("passed"), failed: sum("failed"), withoutGpu: sum("withoutGpu") };
}
