// Provides a PostgreSQL for the tests: SPOTTER_TEST_DATABASE_URL, else a private cluster in a temporary
// folder, reachable over a unix socket only, made with the installed binaries or (on Debian as root)
// with apt's. The cluster ends with the tests, even when they are killed.
import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { askProgram } from "../bootstrap/programs.mjs";
import { SetupProblem } from "../bootstrap/say.mjs";
import { findOnPath, installPackage, mayInstall } from "./debian.mjs";

const superuser = "spotter";
const startTimeoutMs = 60_000;
// The path of a unix socket may have 107 characters; PostgreSQL adds "/.s.PGSQL.5432".
const longestFolder = 90;

const help =
  "The tests need PostgreSQL (its server programs; no running server) and none could be had. Install it (Debian: sudo apt-get install -y postgresql; macOS: brew install postgresql@17), or set SPOTTER_TEST_DATABASE_URL to an empty database that the tests may fill, and repeat.";

/** Returns `{url, stop}`; `stop` ends and removes a cluster that was made here. */
export async function providePostgres() {
  const given = process.env.SPOTTER_TEST_DATABASE_URL;
  if (given) return { url: given, stop: () => Promise.resolve() };
  return provideCluster();
}

/**
 * A cluster of one's own, even where another is given: `{url, restart, stop}`. `restart(signal, downS)` ends the server
 * (INT: cuts its connections; QUIT: as a crash) and starts it again after so many seconds. `isDurable`: what was
 * committed outlives such a crash.
 */
export async function provideCluster({ isDurable = false } = {}) {
  if (findBinaries() === undefined && mayInstall()) await installPackage("postgresql", help);
  const binaries = findBinaries();
  if (binaries === undefined) throw new SetupProblem(help);
  return startCluster(binaries, isDurable);
}

// Debian keeps the server programs off PATH, one folder a version: the newest is taken.
function findBinaries() {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(debian, version, "bin"));
  const onPath = findOnPath("initdb");
  if (onPath !== undefined) folders.push(path.dirname(onPath));
  const homebrew = askProgram("sh", ["-c", "ls -d /opt/homebrew/opt/postgresql*/bin 2>/dev/null"]);
  folders.push(...(homebrew?.trim().split("\n").reverse() ?? []));
  return folders.find((folder) =>
    ["initdb", "postgres"].every((p) => existsSync(path.join(folder, p))),
  );
}

async function startCluster(binaries, isDurable) {
  const folder = mkdtempSync(path.join(shortTemporaryFolder(), "spotter-pg-"));
  const identity = unprivilegedIdentity();
  if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid);
  const data = path.join(folder, "data");
  const surroundings = { ...identity, cwd: folder, env: { ...process.env, HOME: folder } };
  try {
    await initialise(binaries, data, surroundings);
    const server = startServer(binaries, data, folder, surroundings, isDurable);
    await untilReady(binaries, folder, server);
    const url = `postgres://${superuser}@/postgres?host=${encodeURIComponent(folder)}`;
    return {
      url,
      restart: (signal, downS) => restartServer(binaries, folder, server, signal, downS),
      stop: () => stopServer(server, folder),
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function shortTemporaryFolder() {
  return tmpdir().length < longestFolder - 20 ? tmpdir() : "/tmp";
}

// PostgreSQL refuses to run as root.
function unprivilegedIdentity() {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const line = users.find((user) => user.startsWith(`${name}:`));
    if (line === undefined) continue;
    const [, , uid, gid] = line.split(":");
    return { uid: Number(uid), gid: Number(gid) };
  }
  throw new SetupProblem(
    "PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as. Run the tests as a normal user, or set SPOTTER_TEST_DATABASE_URL.",
  );
}

async function initialise(binaries, data, surroundings) {
  const flags = [
    "-D",
    data,
    "-U",
    superuser,
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "-N",
  ];
  const child = spawn(path.join(binaries, "initdb"), flags, surroundings);
  const output = collect(child);
  const code = await new Promise((resolve) => {
    child.once("error", () => resolve(-1));
    child.once("close", resolve);
  });
  if (code !== 0) throw new SetupProblem(`initdb could not make a cluster:\n${output()}\n${help}`);
}

// The shell between us and the server reads from a pipe that only we hold open: when we are gone, in
// whatever way, the read ends and the server with it. A line is an order to restart it.
const keeper = `"$@" </dev/null & server=$!
while read -r signal seconds; do
  kill -$signal $server
  wait $server
  echo "was ended by $signal"
  sleep $seconds
  "$@" </dev/null & server=$!
done
kill -INT $server 2>/dev/null
wait $server
rm -rf "$SPOTTER_CLUSTER"`;

function startServer(binaries, data, folder, surroundings, isDurable) {
  const settings = {
    fsync: "off",
    synchronous_commit: isDurable ? "on" : "off",
    full_page_writes: "off",
    max_connections: "200",
    timezone: "UTC",
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [
    path.join(binaries, "postgres"),
    "-D",
    data,
    "-k",
    folder,
    "-c",
    "listen_addresses=",
    ...flags,
  ];
  const child = spawn("sh", ["-c", keeper, "sh", ...command], {
    ...surroundings,
    env: { ...surroundings.env, SPOTTER_CLUSTER: folder },
    // A group of its own: Ctrl-C must reach the tests first, and the server only through the pipe.
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  return { child, output: collect(child) };
}

async function restartServer(binaries, folder, server, signal, downS) {
  const isEnded = new Promise((resolve) => {
    const look = (chunk) => {
      if (!String(chunk).includes(`was ended by ${signal}`)) return;
      server.child.stdout.off("data", look);
      resolve();
    };
    server.child.stdout.on("data", look);
  });
  server.child.stdin.write(`${signal} ${downS}\n`);
  await isEnded;
  await untilReady(binaries, folder, server);
}

async function untilReady(binaries, folder, server) {
  const deadline = Date.now() + startTimeoutMs;
  const socket = path.join(folder, ".s.PGSQL.5432");
  while (Date.now() < deadline && server.child.exitCode === null) {
    const isReady = path.join(binaries, "pg_isready");
    if (existsSync(socket) && askProgram(isReady, ["-h", folder, "-q"]) !== undefined) return;
    await delay(100);
  }
  server.child.stdin.end();
  throw new SetupProblem(`PostgreSQL did not start:\n${server.output()}\n${help}`);
}

async function stopServer({ child }, folder) {
  const ended = new Promise((resolve) => child.once("close", resolve));
  if (child.exitCode === null) {
    child.stdin.end();
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}

function collect(child) {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      text = (text + chunk).slice(-4000);
    });
  }
  return () => text.trim();
}
