// A clock for a whole house that a test can set: the server's by a module that is loaded before it, the workers' by a
// Python that patches `time`; both read how far it is off from one file.
import { chmodSync, mkdirSync, mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const python = fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));

const SERVER_CLOCK = `
import { readFileSync } from "node:fs";
const RealDate = Date;
const now = () => RealDate.now() + 1000 * Number(readFileSync(process.env.SPOTTER_TEST_CLOCK, "utf8"));
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(now());
    else super(...given);
  }
  static now() {
    return now();
  }
};
`;

const WORKER_CLOCK = `
import os, time
real = time.time
def shifted():
    with open(os.environ["SPOTTER_TEST_CLOCK"]) as file:
        return real() + float(file.read())
time.time = shifted
`;

export class HouseClock {
  /** For the house. */
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), "spotter-clock-"));
    this.#file = join(folder, "seconds");
    this.set(0);
    const preload = join(folder, "clock.mjs");
    writeFileSync(preload, SERVER_CLOCK);
    writeFileSync(join(folder, "sitecustomize.py"), WORKER_CLOCK);
    mkdirSync(join(folder, "env/bin"), { recursive: true });
    const wrapper = join(folder, "env/bin/python");
    writeFileSync(wrapper, `#!/bin/sh\nPYTHONPATH="${folder}:$PYTHONPATH" exec "${python}" "$@"\n`);
    chmodSync(wrapper, 0o755);
    this.env = {
      SPOTTER_TEST_CLOCK: this.#file,
      SPOTTER_PYTHON_ENV: join(folder, "env"),
      NODE_OPTIONS: `--import ${pathToFileURL(preload).href}`,
    };
  }

  /** So many seconds off the real time. */
  set(seconds: number): void {
    writeFileSync(`${this.#file}.new`, String(seconds));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
