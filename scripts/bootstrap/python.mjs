// Finds a Python that can run the worker, and says what to install when there is none.
import { readFileSync } from "node:fs";
import path from "node:path";
import { askProgram } from "./programs.mjs";
import { SetupProblem } from "./say.mjs";

const oldestMinor = 10;
const newestMinor = 14;

const question = `
import json, sys, importlib.util as finder
print(json.dumps({
    "version": list(sys.version_info[:3]),
    "executable": sys.executable,
    "wide": sys.maxsize > 2**32,
    "missing": [name for name in ("venv", "ensurepip") if finder.find_spec(name) is None],
}))
`;

/** The first suitable Python: SPOTTER_PYTHON, then python3.14 down to python3.10, then python3. */
export function findPython(named = process.env.SPOTTER_PYTHON) {
  if (named) return checkNamed(named);
  const seen = [];
  for (const candidate of candidates()) {
    const found = inspect(candidate);
    if (found === undefined) continue;
    if (found.problem === undefined) return found;
    seen.push(found);
  }
  throw new SetupProblem(explain(seen));
}

/** What the interpreter says of itself, with `problem` set when it cannot run the worker. */
export function inspect(command) {
  const answer = askProgram(command, ["-c", question]);
  if (answer === undefined) return undefined;
  const facts = JSON.parse(answer.trim().split("\n").at(-1));
  const found = { ...facts, command, versionText: facts.version.join(".") };
  return { ...found, problem: problemOf(found) };
}

function candidates() {
  const names = [];
  for (let minor = newestMinor; minor >= oldestMinor; minor--) names.push(`python3.${minor}`);
  return [...names, "python3"];
}

function problemOf({ version, wide, missing }) {
  const [major, minor] = version;
  if (major !== 3 || minor < oldestMinor) return "too-old";
  if (minor > newestMinor) return "too-new";
  if (!wide) return "32-bit";
  return missing.length > 0 ? "no-venv" : undefined;
}

function checkNamed(named) {
  const found = inspect(named);
  if (found === undefined) {
    throw new SetupProblem(
      `SPOTTER_PYTHON is set to ${named}, but that does not start as a Python. Correct or unset it.`,
    );
  }
  if (found.problem !== undefined) {
    throw new SetupProblem(`SPOTTER_PYTHON is set to ${named}. ${explain([found])}`);
  }
  return found;
}

function explain(seen) {
  const withoutVenv = seen.find((found) => found.problem === "no-venv");
  if (withoutVenv !== undefined) return explainMissingVenv(withoutVenv);
  const range = `Python 3.${oldestMinor} to 3.${newestMinor} (64-bit)`;
  const others = seen.map((found) => `${found.versionText} (${found.executable})`).join(", ");
  const saw = others === "" ? "No Python was found" : `Found only ${others}`;
  return `Spotter trains with ${range}. ${saw}.\n${installHint()}\nIf one is elsewhere, set SPOTTER_PYTHON to its path.`;
}

function explainMissingVenv({ versionText, executable, missing, version }) {
  const what = `Python ${versionText} (${executable}) is here, but its module ${missing.join(" and ")} is missing.`;
  const own = path.dirname(executable) === "/usr/bin" ? "python3-venv" : undefined;
  if (own !== undefined && isDebianLike()) {
    return `${what}\nDebian and Ubuntu keep it in a package of its own. Install it and repeat:\n  ${sudo()}apt-get install -y python3-venv\n(for a second Python beside the system's: python3.${version[1]}-venv)`;
  }
  return `${what}\nInstall the full Python, or set SPOTTER_PYTHON to one that has venv and ensurepip.`;
}

function installHint() {
  if (process.platform === "darwin") return "Install it with: brew install python@3.13";
  if (isDebianLike()) {
    return `Install it and repeat:\n  ${sudo()}apt-get install -y python3 python3-venv`;
  }
  return "Install it with your system's package manager or from https://www.python.org.";
}

function sudo() {
  return process.getuid?.() === 0 ? "" : "sudo ";
}

function isDebianLike() {
  try {
    return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}
