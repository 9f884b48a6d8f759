// Time as a thing that is handed down, so that tests can turn it.

export interface Clock {
  /** Unix seconds, with fractions. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() / 1000 };
