// The steps that make the worker's Python environment in .venv: what training needs, on top of it what
// tests and checks need, and the requirement sets that only some recipes need.
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statfsSync } from "node:fs";
import { environmentFolder, environmentPython, inRoot, root } from "./paths.mjs";
import { isPipNoise } from "./pip-noise.mjs";
import { askProgram, runVisibly } from "./programs.mjs";
import { findPython, inspect } from "./python.mjs";
import { gigabytes, SetupProblem, say } from "./say.mjs";
import { hashOf } from "./stamps.mjs";

// Measured on Linux: the default index gives PyTorch with CUDA, a CPU index one tenth of it.
const cudaDiskBytes = 5.2e9;
const cpuDiskBytes = 1.2e9;

export const pythonEnvironment = {
  name: "python-environment",
  isDownload: true,

  fingerprint() {
    return `${hashOf(root, ["worker/requirements.txt"])} python ${environmentVersion()}`;
  },

  isIntact() {
    return existsSync(environmentPython) && isTheNamedPython();
  },

  /** Whatever a person has to repair is said before the first download, not after it. */
  foresee() {
    if (isTheNamedPythonAndHealthy()) return;
    findPython();
    tellSizes();
  },

  async run() {
    await makeEnvironment();
    const requirements = readFileSync(inRoot("worker/requirements.txt"), "utf8");
    const torch = requirements.split("\n").find((line) => line.startsWith("torch=="));
    // First and alone: what follows must fit this version, never the other way round.
    await pipInstall([torch]);
    await pipInstall(["-r", "worker/requirements.txt"]);
  },
};

export const pythonDevelopment = {
  name: "python-development",
  isDownload: true,

  fingerprint() {
    return `${hashOf(root, ["worker/requirements-dev.txt"])} on ${pythonEnvironment.fingerprint()}`;
  },

  isIntact() {
    return hasPackage("pytest");
  },

  async run() {
    say("Python packages for tests and checks: about 20 MB to download ...");
    await pipInstall(["-r", "worker/requirements-dev.txt"]);
  },
};

/** What the worker itself installs at the first run that needs it (requirement_sets.py), by name. */
export const requirementSets = {
  language: requirementSet("language", "transformers"),
  // Of no recipe: libraries that own scripts train with, for the tests of our callbacks.
  integrations: requirementSet("integrations", "keras"),
};

function requirementSet(name, onePackage) {
  const file = `worker/requirements-${name}.txt`;
  return {
    name: `python-${name}`,
    isDownload: true,

    fingerprint() {
      return `${hashOf(root, [file])} on ${pythonEnvironment.fingerprint()}`;
    },

    isIntact() {
      return hasPackage(onePackage);
    },

    async run() {
      const size = /^# Size: (.*)\.$/m.exec(readFileSync(inRoot(file), "utf8"))[1];
      say(`Python packages of the set "${name}": ${size} ...`);
      await pipInstall(["-c", "worker/requirements.txt", "-r", file]);
    },
  };
}

// An environment that was made anew has lost what its stamps speak of.
function hasPackage(name) {
  const library = `${environmentFolder}/lib`;
  if (!existsSync(library)) return false;
  return readdirSync(library).some((python) =>
    existsSync(`${library}/${python}/site-packages/${name}`),
  );
}

// Read, not asked: starting Python would cost the everyday start more than all other checks together.
function environmentVersion() {
  return environmentSetting("version") ?? "none";
}

function environmentSetting(name) {
  const file = `${environmentFolder}/pyvenv.cfg`;
  if (!existsSync(file)) return undefined;
  return new RegExp(`^${name} *= *(.*)$`, "m").exec(readFileSync(file, "utf8"))?.[1].trim();
}

// With SPOTTER_PYTHON set, an environment of another Python is not the one that was asked for.
function isTheNamedPython() {
  const named = process.env.SPOTTER_PYTHON;
  if (!named) return true;
  const base = realpathSync(environmentPython);
  if (existsSync(named) && realpathSync(named) === base) return true;
  const asked = inspect(named);
  return asked !== undefined && realpathSync(asked.executable) === base;
}

async function makeEnvironment() {
  if (isTheNamedPythonAndHealthy()) return;
  const python = findPython();
  say(`Python environment: Python ${python.versionText} from ${python.executable}, into .venv ...`);
  rmSync(environmentFolder, { recursive: true, force: true });
  await runVisibly(python.executable, ["-m", "venv", environmentFolder], {
    env: pythonProcessEnvironment(),
    problem: `Python ${python.versionText} could not create the environment ${environmentFolder}.`,
  });
  // PyTorch brings its own; an older Python puts one here that pip would tell at length how it replaces.
  if (hasPackage("setuptools"))
    await runVisibly(
      environmentPython,
      ["-m", "pip", "uninstall", "--quiet", "--yes", "setuptools"],
      {
        env: { ...pythonProcessEnvironment(), PIP_DISABLE_PIP_VERSION_CHECK: "1" },
        problem: `pip could not prepare the environment ${environmentFolder}. Remove that folder and repeat.`,
      },
    );
}

function isTheNamedPythonAndHealthy() {
  if (!existsSync(environmentPython) || !isTheNamedPython()) return false;
  const found = inspect(environmentPython);
  const hasPip = askProgram(environmentPython, ["-m", "pip", "--version"]) !== undefined;
  return found !== undefined && found.problem === undefined && hasPip;
}

function tellSizes() {
  const disk = statfsSync(root);
  const free = disk.bavail * disk.bsize;
  say(
    `PyTorch and its companions: about 0.3 GB to download and ${gigabytes(cpuDiskBytes)} on disk for the CPU build,` +
      ` 2.8 GB and ${gigabytes(cudaDiskBytes)} where pip finds the CUDA build. Free here: ${gigabytes(free)}.`,
  );
  if (free < cpuDiskBytes) {
    throw new SetupProblem(
      `Only ${gigabytes(free)} are free on the disk of ${root}; PyTorch needs at least ${gigabytes(cpuDiskBytes)}. Make room and repeat.`,
    );
  }
}

function pipInstall(what) {
  return runVisibly(
    environmentPython,
    ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", ...what],
    {
      env: pythonProcessEnvironment(),
      isNoise: isPipNoise,
      problem: `pip could not install ${what.at(-1)}. Is the network (or the index that pip is configured for) reachable, and enough disk free? Repeat the same command when it is.`,
    },
  );
}

// pip's own settings stay; what would point our Python at somebody else's packages goes.
function pythonProcessEnvironment() {
  const { PYTHONHOME: _home, PYTHONPATH: _path, ...rest } = process.env;
  return { ...rest, PIP_USER: "0" };
}
