// Starts that take long, are given up, or whose answer is lost; the executor is played by the test.
import type { JobSpec } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { Log } from "../../platform/log.ts";
import { type Executor, MachineUnreachable, type StagedAttempt } from "./executor.ts";
import type { FileFetcher } from "./file-fetcher.ts";
import type { LostAttempt } from "./job-changes.ts";
import type { LostAttempts } from "./lost-attempts.ts";
import { Starter } from "./starter.ts";
import type { QueueStore } from "./store.ts";

const spec = {
  ...{ protocol: 1, job_id: 7, attempt: 2, kind: "train", name: "n", recipe: "vision", config: {} },
  ...{ places: { data: "/home/datasets/3" }, predict: null, preflight: null, fork: null },
  ...{ num_threads: 1, resume_from: "checkpoints/step-00000010" },
} as const satisfies JobSpec;

function world(parts: Partial<Pick<Executor, "stage" | "start">> = {}) {
  const seen = {
    did: [] as string[],
    staged: [] as StagedAttempt[],
    ended: [] as LostAttempt[],
    refs: [] as unknown[],
  };
  const executor = {
    files: {},
    stage: async (attempt: StagedAttempt) => {
      seen.did.push("stage");
      seen.staged.push(attempt);
    },
    start: async () => {
      seen.did.push("start");
      return "its ref";
    },
    stop: async (_: unknown, force: string) => {
      seen.did.push(force);
    },
    logs: async () => {
      throw new MachineUnreachable("nobody at home");
    },
    ...parts,
  } as unknown as Executor;
  const starter = new Starter({
    executor,
    runDir: (jobId) => `/home/runs/${jobId}`,
    log: new Log({ level: "silent", format: "json", write: () => undefined }),
    store: {
      transaction: async (work: (transaction: never) => unknown) => work({} as never),
      updateAttempt: async (...args: unknown[]) => {
        seen.refs.push(args.at(-1));
      },
    } as unknown as QueueStore,
    fetcher: {
      require: async (_: number, file: string) => {
        seen.did.push(`require ${file}`);
      },
    } as unknown as FileFetcher,
    losses: {
      end: async (lost: LostAttempt) => {
        seen.ended.push(lost);
      },
    } as unknown as LostAttempts,
  });
  return { starter, seen };
}

/** Stages until it is told to leave it. */
const endless: Executor["stage"] = (_, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });

describe("a start", () => {
  it("has its checkpoint on the server before it is staged, and is noted under its executor's name", async () => {
    const { starter, seen } = world();
    const begun = starter.begin(spec, "spw_secret");
    expect(starter.isStarting(7, 2)).toBe(true);
    await begun;
    expect(starter.isStarting(7, 2)).toBe(false);
    expect(seen.did).toEqual(["require checkpoints/step-00000010", "stage", "start"]);
    expect(seen.staged[0]).toMatchObject({ spec, token: "spw_secret" });
    expect(seen.staged[0]?.material.map(({ path }) => path)).toEqual([
      "/home/datasets/3",
      "/home/runs/7/changes.json",
      "/home/runs/7/checkpoints/step-00000010",
    ]);
    expect(seen.refs).toEqual([{ executor_ref: "its ref" }]);
    expect(seen.ended).toEqual([]);
  });

  it("that somebody stops meanwhile is given up", async () => {
    const { starter, seen } = world({ stage: endless });
    const begun = starter.begin(spec, "spw_secret");
    starter.giveUp(7, 2);
    await begun;
    expect(seen.did).not.toContain("start");
    expect(seen.ended[0]).toMatchObject({ jobId: 7, attempt: 2, exit: { reason: "start-failed" } });
  });

  it("whose answer is lost is ended there too, with its reason", async () => {
    const { starter, seen } = world({
      start: async () => {
        throw new MachineUnreachable("the line was cut");
      },
    });
    await starter.begin(spec, "spw_secret");
    expect(seen.did.at(-1)).toBe("kill");
    expect(seen.ended[0]).toMatchObject({
      exit: { message: "The worker could not be started: the line was cut" },
      lastLines: [],
    });
  });

  it("that is half done when the server ends is left to the next one", async () => {
    const { starter, seen } = world({ stage: endless });
    const begun = starter.begin(spec, "spw_secret");
    await starter.stop();
    await begun;
    expect([seen.ended, seen.refs]).toEqual([[], []]);
  });
});
