// What an executor can do: bring a job's attempt to life somewhere and keep hold of it. The local one is in
// `tools/local-executor.ts`. Nothing here or above says where an attempt's processes and its folder are: an executor's
// machines may share nothing with the server but HTTP.
import type { Readable } from "node:stream";
import type { AttemptExit, JobSpec } from "@spotter/contract";
import type { MachineNow } from "./planner.ts";

/** One attempt, as it stands in the database: enough to find it again after a restart. */
export interface AttemptHandle {
  readonly jobId: number;
  readonly attempt: number;
  /** What the executor called it when it started: its own words, kept by the queue. Null before that was noted. */
  readonly ref: string | null;
}

/** A file or folder on the server's disk that an attempt reads. */
export interface Material {
  /** Absolute; the spec names it so. */
  readonly path: string;
  /** Where the worker expects it, relative to its run folder; null: anywhere, the spec says where. */
  readonly inRunDir: string | null;
}

/** All that an attempt needs to begin. */
export interface StagedAttempt {
  /** Its places are paths on the server's disk; `relocated` makes them another machine's. */
  readonly spec: JobSpec;
  readonly token: string;
  readonly material: readonly Material[];
}

export type AttemptState =
  /** Its supervisor is there, and tells the rest itself. */
  | { readonly kind: "running" }
  /** Its supervisor is gone; `adopt` puts another in its place. */
  | {
      readonly kind: "orphaned";
      readonly worker: "alive" | "gone" | "unknown";
      /** What the supervisor left behind when it ended in order. */
      readonly exit: AttemptExit | null;
    }
  /** Nobody can tell just now: its machine does not answer. */
  | { readonly kind: "unreachable"; readonly why: string };

/** `ask` is not here: orders to a healthy worker travel as commands. */
export type StopForce = "terminate" | "kill";

export interface StoredFile {
  /** Relative to the run folder, with forward slashes. */
  readonly path: string;
  readonly size: number;
}

/** How files come home from machines that cannot write into the server's folders. */
export interface FileSource {
  /** Plain files at or below a path of the attempt's run folder; null: nothing is there. */
  list(
    handle: AttemptHandle,
    path: string,
    signal: AbortSignal,
  ): Promise<readonly StoredFile[] | null>;
  /** The bytes of one of them; null: it is not there any more. */
  read(handle: AttemptHandle, path: string, signal: AbortSignal): Promise<Readable | null>;
  /** Removes whatever is kept of the job elsewhere. */
  forget(jobId: number): Promise<void>;
}

/** Every call may throw `MachineUnreachable`, and may be repeated. */
export interface Executor {
  readonly name: string;
  /** Null: its workers write straight into the server's own run folders. */
  readonly files: FileSource | null;
  /** A machine that does not answer is waited for so long; then its attempts are lost. */
  readonly patienceS: number;
  /** Null when jobs can start; else the sentence that says what is missing. */
  unavailable(): string | null;
  /** What trainings are placed on; null while nobody knows yet. */
  machine(): MachineNow | null;
  /** Puts code, data, spec and token where the attempt will find them. */
  stage(attempt: StagedAttempt, signal: AbortSignal): Promise<void>;
  /** @returns the attempt's `ref` */
  start(handle: AttemptHandle): Promise<string>;
  /** A new supervisor for a worker that lost its own. @returns the attempt's new `ref` */
  adopt(handle: AttemptHandle): Promise<string>;
  /** The `ref` of what was started, though the server never noted it (it died in between). */
  find(handle: AttemptHandle): Promise<string | null>;
  state(handle: AttemptHandle): Promise<AttemptState>;
  stop(handle: AttemptHandle, force: StopForce): Promise<void>;
  /** The last lines that the attempt's processes wrote. */
  logs(handle: AttemptHandle, maxLines: number): Promise<string[]>;
}

/** Nothing is known about what the other side did. */
export class MachineUnreachable extends Error {
  /** @param why half a sentence: what did not answer, and how that showed */
  constructor(why: string, options?: { cause?: unknown }) {
    super(why, options);
    this.name = "MachineUnreachable";
  }
}
