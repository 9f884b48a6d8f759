// What the plan reads and what it decides; times are Unix seconds, memory is GiB. No I/O, no clock.

/** What a job holds from its start to its end. */
export interface Needs {
  readonly gpus: number;
  /** On each of its GPUs; null: the whole GPU, alone. */
  readonly gpuMemoryGib: number | null;
  readonly cpuCores: number;
  readonly memoryGib: number;
  readonly diskGib: number;
}

export interface Machine {
  readonly gpus: readonly { readonly index: number; readonly memoryGib: number }[];
  readonly cpuCores: number;
  readonly memoryGib: number;
  /** Free now, not in all. */
  readonly diskFreeGib: number;
}

export interface WaitingJob {
  readonly id: number;
  /** Null: a job of nobody. */
  readonly ownerId: number | null;
  /** A higher class goes first. */
  readonly priority: number;
  /** Its place among the jobs of its owner: by age, unless the owner has changed it. */
  readonly place: number;
  /** Put there by an administrator: before those that nobody has put anywhere; null for these. */
  readonly pinned: number | null;
  readonly needs: Needs;
  /** It is ended after so long; null: nobody knows how long it takes. */
  readonly limitS: number | null;
  /** Since when it waits. */
  readonly queuedAt: number;
  /** A failed attempt is tried again from then on. */
  readonly notBefore: number | null;
  /** It gave way to a more urgent one and goes before the others of its class. */
  readonly isPreempted: boolean;
  /** It ran until now and goes back to a checkpoint of its own: what it held is kept for it. */
  readonly goesBack: boolean;
  /** What it takes by experience, for forecasts only: nothing starts or waits because of a guess. */
  readonly expectedS: number | null;
}

export interface RunningJob {
  readonly id: number;
  readonly ownerId: number | null;
  readonly needs: Needs;
  readonly gpus: readonly number[];
  /** About when it gives everything back; null: nobody knows. */
  readonly endsAt: number | null;
  /** The same by experience, where itself it tells nothing; for forecasts only. */
  readonly guessedEnd: number | null;
  readonly priority: number;
  /** Its running attempt. */
  readonly startedAt: number;
  /** Whether it can give everything back now and later go on from the same step. */
  readonly canYield: boolean;
  /** It was asked to, and has not done so yet. */
  readonly isYielding: boolean;
  readonly numPreemptions: number;
}

export interface People {
  /** The part of the machine that each held over the last day, from 0 to 1; who is not here held nothing. */
  readonly lately: ReadonlyMap<number | null, number>;
  /** So many trainings of one person run at once; null: as many as fit. */
  readonly maxRunning: number | null;
}

export type Resource = "gpus" | "gpu_memory" | "cpu_cores" | "memory" | "disk";

/** Why a job does not start now. */
export type Why =
  | {
      readonly kind: "resource";
      readonly resource: Resource;
      readonly needed: number;
      /** Jobs whose end would make room, the first to end first. */
      readonly holders: readonly number[];
      readonly until: number | null;
      /** Of the disk, which no job's end frees: what is left of it. */
      readonly free: number;
    }
  /** Others that wait take what it needs before it has its turn. */
  | {
      readonly kind: "behind";
      readonly resource: Resource;
      readonly needed: number;
      /** Those in front of it that will hold what it needs, in order. */
      readonly ahead: readonly number[];
    }
  /** It would fit, but what it needs is kept for the first in line. */
  | { readonly kind: "turn"; readonly first: number; readonly until: number | null }
  /** It asks for more than the machine has. */
  | {
      readonly kind: "never";
      readonly resource: Resource;
      readonly needed: number;
      readonly has: number;
    }
  | { readonly kind: "quota"; readonly running: number }
  | { readonly kind: "retry"; readonly until: number };

export interface Start {
  readonly id: number;
  /** The indexes of the GPUs that it gets. */
  readonly gpus: readonly number[];
}

export interface Waiting {
  readonly id: number;
  readonly why: Why;
  /** About when it starts, if nothing is added; null where that hangs on what nobody knows. */
  readonly startsAt: number | null;
  /** Whose end nobody knows, where its start hangs on that. */
  readonly unknown: number | null;
}

/** A running job that is to give way. */
export interface Preemption {
  readonly victim: number;
  /** The urgent job that needs the room. */
  readonly by: number;
}

export interface Plan {
  readonly starts: readonly Start[];
  readonly preemptions: readonly Preemption[];
  /** In order, without those that start. */
  readonly waiting: readonly Waiting[];
}
