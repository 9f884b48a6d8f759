// Who is killed next: a server, a supervisor or a worker, by a seeded die, at a seeded moment. What is told of each kill is
// enough to follow a failure.
import { setTimeout as delay } from "node:timers/promises";
import type { House } from "../harness/house.ts";
import { type HouseProcess, houseProcesses } from "../harness/house-processes.ts";
import { until } from "../harness/until.ts";

const MAX_DOWN_MS = 800;
/** Nobody may be there for a while: workers start, or lost jobs wait for their next attempt. */
const LONGEST_SEARCH_MS = 15_000;
const LOOK_MS = 100;
/** Two pauses of jobs that were lost twice, on a machine that is busy with other things. */
const LONGEST_WAIT_MS = 600_000;

export interface KillOptions {
  readonly kills: number;
  /** At most so long between two kills. */
  readonly pauseMs: number;
  /** The third loss at one place ends a job by rule, and each costs twice the pause of the one before. */
  readonly lossesPerJob: 1 | 2;
  /** Whether the work has come so far that this kill is its turn: kills are spread over the whole queue. */
  readonly isDue: (kill: number) => boolean;
  readonly random: () => number;
  readonly say: (line: string) => void;
}

export type Tally = Record<"server" | "supervisor" | "worker", number>;

export class Killer {
  readonly tally: Tally = { server: 0, supervisor: 0, worker: 0 };
  /** By job: attempts that a kill has cost it. */
  readonly losses = new Map<number, number>();
  readonly #house: House;
  readonly #options: KillOptions;
  readonly #lost = new Set<string>();
  #restart: Promise<void> | undefined;

  constructor(house: House, options: KillOptions) {
    this.#house = house;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { kills, pauseMs, random, isDue } = this.#options;
    for (let kill = 1; kill <= kills; kill += 1) {
      await until(`kill ${kill} is due`, () => isDue(kill), LONGEST_WAIT_MS);
      await delay(random() * pauseMs);
      await this.#killOne(kill);
    }
    await this.#restart;
  }

  async #killOne(number: number): Promise<void> {
    const { random, say } = this.#options;
    const wanted = (["server", "supervisor", "worker"] as const)[Math.floor(random() * 3)];
    const startedAt = performance.now();
    while (wanted !== "server" && performance.now() - startedAt < LONGEST_SEARCH_MS) {
      const living = houseProcesses(this.#house.home);
      const mortal = living.filter((one) => this.#mayDie(one, living));
      const ofKind = mortal.filter(({ kind }) => kind === wanted);
      const victims = ofKind.length > 0 ? ofKind : mortal;
      const victim = victims[Math.floor(random() * victims.length)];
      // It may have ended since the look.
      if (victim === undefined || victim.kind === "other" || !kill(victim.pid)) {
        await delay(LOOK_MS);
        continue;
      }
      if (costsAttempt(victim, living)) this.#note(victim);
      this.tally[victim.kind] += 1;
      return say(`${number}: ${victim.kind} of job ${victim.job}, attempt ${victim.attempt}`);
    }
    await this.#killServer();
    say(`${number}: server`);
  }

  async #killServer(): Promise<void> {
    // One that is down already must be back first.
    await this.#restart;
    await this.#house.kill();
    this.tally.server += 1;
    // Back after a while in which others may be killed too.
    const downMs = this.#options.random() * MAX_DOWN_MS;
    this.#restart = delay(downMs).then(() => this.#house.start());
  }

  #mayDie(one: HouseProcess, living: readonly HouseProcess[]): boolean {
    if (one.kind === "other") return false;
    if (!costsAttempt(one, living) || this.#lost.has(keyOf(one))) return true;
    return (this.losses.get(one.job) ?? 0) < this.#options.lossesPerJob;
  }

  #note(one: HouseProcess): void {
    if (this.#lost.has(keyOf(one))) return;
    this.#lost.add(keyOf(one));
    this.losses.set(one.job, (this.losses.get(one.job) ?? 0) + 1);
  }
}

function keyOf({ job, attempt }: HouseProcess): string {
  return `${job}/${attempt}`;
}

/** A supervisor whose worker lives is replaced; one that has not started it yet takes the attempt with it. */
function costsAttempt(victim: HouseProcess, living: readonly HouseProcess[]): boolean {
  return (
    victim.kind === "worker" ||
    !living.some(
      ({ kind, job, attempt }) =>
        kind === "worker" && job === victim.job && attempt === victim.attempt,
    )
  );
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}
