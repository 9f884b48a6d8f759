// The demo as a story: set up, start, sign in, train with live progress, load the weights back, say where things are.
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureReady } from "../bootstrap/ready.mjs";
import { endWith, SetupProblem, say, seconds } from "../bootstrap/say.mjs";
import { demoAccount } from "./account.mjs";
import { showPredictions } from "./predictions.mjs";
import { followRun } from "./progress.mjs";
import { connectServer } from "./server.mjs";

const recipe = "vision";
const finalStates = ["finished", "failed", "stopped", "cancelled"];

export async function runDemo(flags) {
  const options = readFlags(flags);
  let server;
  let account;
  let run;
  let startedAtMs;
  try {
    const setup = await ensureReady();
    startedAtMs = Date.now();
    const started = performance.now();
    server = await connectServer();
    account = await demoAccount(server);
    sayWelcome(server, account);
    run = await account.call("POST", "/api/runs", {
      recipe,
      config: options.config,
      tags: ["demo"],
    });
    const runPage = `${server.url}/runs/${run.id}/charts`;
    say(`\nTraining run ${run.id}: ${run.name}\n  watch it live   ${runPage}\n`);
    if (options.open) openBrowser(runPage);
    const ended = await followRun(account, run.id);
    if (!finalStates.includes(ended.state) || ended.state !== "finished")
      throw trainingProblem(ended, runPage);
    await showPredictions(account, ended);
    sayTimes(setup, started);
    sayWhereThingsAre(server, account, runPage, options.exit && server.isOurs);
  } catch (error) {
    await server?.stop();
    endWith(error);
  }
  if (options.exit) {
    await untilSupervisorsAreDone(account, server.home, startedAtMs);
    await server.stop();
  } else await server.untilInterrupted();
}

// A supervisor hands its last word over after its worker has ended; without a server it would wait for the next one.
async function untilSupervisorsAreDone(account, home, sinceMs) {
  for (let tries = 0; tries < 200; tries += 1) {
    const jobs = jobsSince(home, sinceMs).map((job) => account.call("GET", `/api/jobs/${job}`));
    const attempts = (await Promise.all(jobs)).flatMap((job) => job.attempts);
    if (attempts.every((attempt) => attempt.state === "ended")) return;
    await delay(100);
  }
}

/** The training and the prediction of this demo: each job has a folder, and the numbers of the two have nothing in common. */
function jobsSince(home, sinceMs) {
  const folder = path.join(home, "runs");
  const madeMs = (job) => statSync(path.join(folder, job), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return readdirSync(folder).filter((job) => madeMs(job) >= sinceMs);
}

function readFlags(flags) {
  const known = ["--exit", "--no-open"];
  const unknown = flags.filter((flag) => !known.includes(flag) && !flag.startsWith("--epochs="));
  if (unknown.length > 0) {
    endWith(
      new SetupProblem(
        `npm run demo knows --exit, --no-open and --epochs=N, not ${unknown.join(" ")}.`,
      ),
    );
  }
  const epochs = flags.find((flag) => flag.startsWith("--epochs="))?.slice("--epochs=".length);
  const exit = flags.includes("--exit");
  return {
    exit,
    open: !exit && !flags.includes("--no-open") && process.stdout.isTTY === true,
    config: epochs === undefined ? {} : { epochs: Number(epochs) },
  };
}

function sayWelcome(server, account) {
  say(`\nSpotter listens on ${server.url}${server.isOurs ? "" : " (it was running already)"}`);
  if (account.password !== undefined) {
    say(`  sign in as ${account.name} with the password ${account.password}   (shown this once)`);
  }
}

function trainingProblem(run, runPage) {
  const why = run.error?.message ?? run.reason ?? "no reason was given";
  const hint = run.error?.hint ? `\n${run.error.hint}` : "";
  return new SetupProblem(
    `The training ended as "${run.state}": ${why}${hint}\nIts log: ${runPage.replace(/charts$/, "logs")}`,
  );
}

function sayTimes(setup, started) {
  const afterDownloads = setup.otherMs + (performance.now() - started);
  say(
    `\nFrom the end of the downloads to this line: ${seconds(afterDownloads)}; downloads: ${seconds(setup.downloadMs)}.`,
  );
}

function sayWhereThingsAre(server, account, runPage, stops) {
  say(`
  the run          ${runPage}
  all runs         ${server.url}/runs
  data folder      ${server.home}
  command line     node dist/cli/spotter.js sign-in --server ${server.url}   then: node dist/cli/spotter.js runs
  next             train your own: ${server.url}/runs/new`);
  if (account.password === undefined)
    say(`  account          ${account.name} (its password was shown by the first demo)`);
  if (stops) say("\nThe server stops now; npm start brings it and these pages back.");
}

// Best effort: a machine without a desktop has nothing to open, and the address stands in the terminal.
function openBrowser(url) {
  const command = process.platform === "darwin" ? "open" : "xdg-open";
  if (process.platform === "linux" && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return;
  spawn(command, [url], { stdio: "ignore", detached: true })
    .on("error", () => say(`(no browser could be opened; go to ${url})`))
    .unref();
}
