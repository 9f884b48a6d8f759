// The built command line as people run it: a process with its own settings folder.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../dist/cli/spotter.js", import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Running {
  readonly process: ChildProcessWithoutNullStreams;
  stdout = "";
  stderr = "";

  constructor(process: ChildProcessWithoutNullStreams) {
    this.process = process;
    process.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
  }

  async finished(): Promise<Finished> {
    if (this.process.exitCode === null && this.process.signalCode === null)
      await once(this.process, "close");
    return { code: this.process.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  async end(signal: "SIGINT" | "SIGKILL"): Promise<Finished> {
    this.process.kill(signal);
    return this.finished();
  }
}

export class CommandLine {
  readonly folder = mkdtempSync(join(tmpdir(), "spotter-cli-"));
  readonly #env: Readonly<Record<string, string>>;

  /** @param env besides PATH and the settings folder; `SPOTTER_URL` and `SPOTTER_TOKEN` sign in without a file */
  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  start(args: readonly string[], input = ""): Running {
    const child = spawn(process.execPath, [entry, ...args], {
      env: {
        PATH: process.env.PATH ?? "",
        HOME: this.folder,
        XDG_CONFIG_HOME: this.folder,
        LANG: "en_US.UTF-8",
        ...this.#env,
      },
    });
    child.stdin.end(input);
    return new Running(child);
  }

  run(args: readonly string[], input = ""): Promise<Finished> {
    return this.start(args, input).finished();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
