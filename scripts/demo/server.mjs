// The server of the demo: the one that runs already in this data folder, or a child of this process.
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { inRoot } from "../bootstrap/paths.mjs";
import { SetupProblem, say } from "../bootstrap/say.mjs";

const startTimeoutMs = 60_000;

/** @returns {Promise<{url: string, home: string, setupSecret: string | null, isOurs: boolean, stop(): Promise<void>, untilInterrupted(): Promise<void>}>} */
export async function connectServer() {
  const home = path.resolve(process.env.SPOTTER_HOME ?? inRoot(".spotter"));
  return (await runningServer(home)) ?? startServer(home);
}

async function runningServer(home) {
  let url;
  try {
    url = JSON.parse(readFileSync(path.join(home, "server.json"), "utf8")).url;
    const response = await fetch(`${url}/api/system/health`, { signal: AbortSignal.timeout(3000) });
    if (!response.ok) return undefined;
  } catch (error) {
    // No file, or nobody listens at the address that a stopped server left: we start one.
    if (error instanceof SyntaxError)
      throw new SetupProblem(`${home}/server.json is damaged; delete it and repeat.`);
    return undefined;
  }
  // Whoever started it ends it.
  const stop = () => Promise.resolve();
  return { url, home, setupSecret: null, isOurs: false, stop, untilInterrupted: stop };
}

function startServer(home) {
  const child = fork(inRoot("dist/server/main.js"), [], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    // As `npm start` has it; start.mjs says why.
    env: { SPOTTER_LOG_LEVEL: "warn", MALLOC_ARENA_MAX: "2", ...process.env, SPOTTER_HOME: home },
    // Ctrl-C in this terminal reaches the whole group; the demo alone passes it on, in order.
    detached: true,
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output = (output + chunk).slice(-4000);
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await exited;
  };
  const untilInterrupted = async () => {
    say("\nThe server goes on. Ctrl-C ends it; trainings that run go on without it.");
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    await exited;
  };
  return new Promise((resolve, reject) => {
    const fail = (why) => reject(new SetupProblem(`The server did not start: ${why}\n${output}`));
    const timer = setTimeout(
      () => fail(`no word from it for ${startTimeoutMs / 1000} s`),
      startTimeoutMs,
    );
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`it ended with exit code ${code}`);
    });
    child.on("message", (message) => {
      if (message?.type !== "listening") return;
      clearTimeout(timer);
      resolve({
        url: message.url,
        home,
        setupSecret: message.setup_secret,
        isOurs: true,
        stop,
        untilInterrupted,
      });
    });
  });
}
