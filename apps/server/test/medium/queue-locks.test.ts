// Two that change many waiting jobs at once, the scheduler's reasons and people's orders, never wait for each other's
// rows for ever: PostgreSQL would end one of them with an error.
import { expect, it } from "vitest";
import { CommandsStore } from "../../src/domains/queue/commands-store.ts";
import { JobChanges } from "../../src/domains/queue/job-changes.ts";
import { JobLifecycle } from "../../src/domains/queue/lifecycle.ts";
import type { Outlook, Planner } from "../../src/domains/queue/planner.ts";
import { QueueOrders } from "../../src/domains/queue/queue-orders.ts";
import { Scheduler } from "../../src/domains/queue/scheduler.ts";
import { QueueStore } from "../../src/domains/queue/store.ts";
import type { JobRow } from "../../src/domains/queue/tables.ts";
import { Log } from "../../src/platform/log.ts";
import type { Caller } from "../../src/platform/route.ts";
import { freshTestDatabase } from "../database.ts";

const NUM_JOBS = 150;
const NUM_ROUNDS = 30;
/** At once, each round. */
const NUM_ORDERS = 3;

type SchedulerParts = ConstructorParameters<typeof Scheduler>[0];

const ADMIN: Caller = {
  ...{ userId: 1, userName: "ada", isAdmin: true, via: "token", credentialId: 1 },
  roles: new Map(),
};

it("reasons and orders of many waiting jobs at once are all stored", async () => {
  const database = await freshTestDatabase();
  const store = new QueueStore(database);
  const changes = new JobChanges(store);
  const lifecycle = new JobLifecycle(store, new CommandsStore(database), changes, () => 1000);
  const ids: number[] = [];
  for (let index = 0; index < NUM_JOBS; index += 1)
    ids.push(
      await database.transaction((transaction) =>
        lifecycle.submit(transaction, {
          ...{ kind: "train", projectId: 1, ownerId: 1, nameOf: (id) => `job-${id}` },
          work: { recipe: "vision", config: {}, places: {}, predict: null },
        }),
      ),
    );
  const errors: string[] = [];
  const log = new Log({ level: "warn", format: "json", write: (line) => errors.push(line) });
  const audit = { record: async () => undefined };
  const orders = new QueueOrders({ store, changes, audit, planner: {} as Planner });
  for (let round = 1; round <= NUM_ROUNDS; round += 1) {
    const ordered = new Promise<unknown>((resolve) => {
      const scheduler = new Scheduler({
        ...({ lifecycle, starter: {} } as SchedulerParts),
        preemptions: {
          withdraw: async () => undefined,
        } as unknown as SchedulerParts["preemptions"],
        ...{ store, changes, log },
        executor: { unavailable: () => null } as SchedulerParts["executor"],
        planner: {
          // Right before the scheduler writes its reasons.
          look: async (queued) => {
            const given = Array.from({ length: NUM_ORDERS }, (_, index) =>
              orders.reorder(turned(ids, round + index), ADMIN, "127.0.0.1"),
            );
            resolve(Promise.all([...given, scheduler.stop()]));
            return outlook(queued, round);
          },
        } as Planner,
      });
      scheduler.kick();
    });
    await ordered;
  }
  expect(errors).toEqual([]);
  const rows = await store.queuedTrainings();
  expect(rows).toHaveLength(NUM_JOBS);
  expect(rows.filter(({ reason }) => !reason?.includes(`${NUM_ROUNDS} running`))).toEqual([]);
  expect(new Set(rows.map(({ place, id }) => place ?? id)).size).toBe(NUM_JOBS);
}, 300_000);

/** Another reason each round, so that every row changes. */
function outlook(queued: readonly JobRow[], running: number) {
  // Plans put the jobs into the order in which they are to start, which is not that of their numbers.
  const waiting = queued.toReversed().map(({ id }) => ({
    ...{ id, why: { kind: "quota" as const, running }, startsAt: null, unknown: null },
  }));
  return {
    decision: { starts: [], preemptions: [], waiting },
    waiting: new Map(queued.map((row) => [row.id, { row }])),
    projects: new Map<number, number>(),
  } as unknown as Outlook;
}

/** Every order is another one, and none is that of the numbers. */
function turned(ids: readonly number[], by: number): number[] {
  const at = by % ids.length;
  return [...ids.slice(at), ...ids.slice(0, at)].reverse();
}
