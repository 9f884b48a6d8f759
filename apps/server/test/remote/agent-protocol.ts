// What a server and a test's machine say to each other: all that they share.
import type { JobSpec } from "@spotter/contract";

export interface Hello {
  /** Absolute, on the machine. */
  readonly folder: string;
  readonly cpu_cores: number;
  readonly memory_gib: number;
}

/** A folder made of contents that were sent before; or a single file, whose path in it is empty. */
export interface Tree {
  /** Relative to the machine's folder. */
  readonly at: string;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

export interface StagedOnMachine {
  /** Its places are the machine's. */
  readonly spec: JobSpec;
  readonly token: string;
  readonly trees: readonly Tree[];
  /** Folders of Python packages, absolute on the machine. */
  readonly code: readonly string[];
}
