// What an executor can do: bring a job's attempt to life somewhere and keep hold of it. The local one is in
// `tools/local-executor.ts`; a cluster's will be its sister.
import type { AttemptExit, JobSpec } from "@spotter/contract";

/** One attempt, as it stands in the database: enough to find its processes after a restart. */
export interface AttemptHandle {
  readonly jobId: number;
  readonly attempt: number;
  readonly runDir: string;
  /** The supervisor's pid with its start time; null before they are known. */
  readonly pid: number | null;
  readonly pidStartTime: string | null;
}

export interface ProcessIdentity {
  readonly pid: number;
  /** As the system tells it; two processes with one pid differ in it. */
  readonly startTime: string;
}

export interface ExecutorState {
  readonly supervisor: "alive" | "gone";
  readonly worker: "alive" | "gone" | "unknown";
  /** What the supervisor left behind when it ended in order. */
  readonly exit: AttemptExit | null;
}

/** `ask` is not here: orders to a healthy worker travel as commands. */
export type StopForce = "terminate" | "kill";

export interface Executor {
  readonly name: string;
  /** Null when jobs can start; else the sentence that says what is missing. */
  unavailable(): string | null;
  runDir(jobId: number): string;
  /** Puts everything in place that the attempt needs. May be repeated. */
  stage(spec: JobSpec, token: string): Promise<void>;
  start(handle: AttemptHandle): Promise<ProcessIdentity>;
  /** A new supervisor for a worker that lost its own. */
  adopt(handle: AttemptHandle): Promise<ProcessIdentity>;
  /** Processes that the attempt left, though the server never noted them (it died in between). */
  find(handle: AttemptHandle): Promise<ProcessIdentity | null>;
  state(handle: AttemptHandle): Promise<ExecutorState>;
  stop(handle: AttemptHandle, force: StopForce): Promise<void>;
  /** The last lines that the attempt's processes wrote. */
  logs(handle: AttemptHandle, maxLines: number): Promise<string[]>;
}
