// Files of another machine: whole or not at all, never outside the run's folder, given up only with their machine.
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Log } from "../../platform/log.ts";
import { type FileSource, MachineUnreachable } from "./executor.ts";
import type { FetchesStore, PendingFetch } from "./fetches-store.ts";
import { FileFetcher } from "./file-fetcher.ts";
import type { JobChanges } from "./job-changes.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** A machine that has these files, and rows that tell of them. */
function world(files: Record<string, string>, { patienceS = 600 } = {}) {
  const home = mkdtempSync(path.join(tmpdir(), "spotter-fetch-"));
  const rows: PendingFetch[] = [];
  const state = { isAway: false, hasEnded: false, numReads: 0, lost: [] as string[] };
  const answer = <T>(value: T): T => {
    if (state.isAway) throw new MachineUnreachable("it is away");
    return value;
  };
  const source: FileSource = {
    list: async (_, root) => {
      const names = Object.keys(files).filter((name) => `${name}/`.startsWith(`${root}/`));
      return answer(
        names.length === 0
          ? null
          : names.map((name) => ({ path: name, size: files[name]?.length ?? 0 })),
      );
    },
    read: async (_, name) => {
      state.numReads += 1;
      const text = answer(files[name]);
      return text === undefined ? null : Readable.from([text]);
    },
    forget: async () => undefined,
  };
  const fetcher = new FileFetcher({
    source,
    patienceS,
    runDir: () => path.join(home, "run"),
    workFolder: path.join(home, "work"),
    log: new Log({ level: "silent", format: "json", write: () => undefined }),
    store: {
      pending: async () =>
        rows.map((row) => Object.assign(row, { state: state.hasEnded ? "ended" : "running" })),
      remove: async (_: unknown, row: PendingFetch) => {
        const at = rows.indexOf(row);
        if (at >= 0) rows.splice(at, 1);
        return at >= 0;
      },
    } as unknown as FetchesStore,
    changes: {
      change: async (work: (transaction: never) => Promise<unknown>) => work({} as never),
      filesLost: async (_: unknown, __: number, paths: string[]) => {
        state.lost.push(...paths);
      },
    } as unknown as JobChanges,
  });
  onTestFinished(async () => {
    await fetcher.stop();
    rmSync(home, { recursive: true, force: true });
  });
  const tell = (kind: PendingFetch["kind"], told: string, hash: string | null) => {
    rows.push({
      ...{ job_id: 1, path: told, kind, sha256: hash },
      ...{ attempt: 1, seq: rows.length + 1, told_at: 1, executor_ref: "far", state: "running" },
    });
  };
  const at = (name: string) => path.join(home, "run", name);
  return { fetcher, state, rows, tell, at, home, files };
}

describe("a file on another machine", () => {
  it("comes home whole: a checkpoint with its folder, weights with what stands beside them", async () => {
    const { fetcher, tell, at, rows, home } = world({
      "checkpoints/step-1/manifest.json": "{}",
      "checkpoints/step-1/model.safetensors": "state",
      "weights/model.safetensors": "best",
      "weights/tokenizer/words.json": "[]",
      "report.txt": "fine",
    });
    tell("checkpoint", "checkpoints/step-1", sha256("{}"));
    tell("weights", "weights/model.safetensors", sha256("best"));
    tell("report", "report.txt", sha256("fine"));
    for (const name of ["checkpoints/step-1", "weights", "report.txt"])
      await fetcher.require(1, name);
    expect(readFileSync(at("checkpoints/step-1/model.safetensors"), "utf8")).toBe("state");
    expect(readFileSync(at("weights/tokenizer/words.json"), "utf8")).toBe("[]");
    expect(readFileSync(at("report.txt"), "utf8")).toBe("fine");
    expect(rows).toEqual([]);
    expect(readdirSync(path.join(home, "work"))).toEqual([]);
  });

  it("takes the place of the one of before", async () => {
    const { fetcher, tell, at, files } = world({ "weights/model.safetensors": "one" });
    tell("weights", "weights/model.safetensors", sha256("one"));
    await fetcher.require(1, "weights/model.safetensors");
    files["weights/model.safetensors"] = "two";
    tell("weights", "weights/model.safetensors", sha256("two"));
    await fetcher.require(1, "weights/model.safetensors");
    expect(readFileSync(at("weights/model.safetensors"), "utf8")).toBe("two");
  });

  it("is read once, however many wait for it", async () => {
    const { fetcher, tell, state } = world({ "report.txt": "fine" });
    tell("report", "report.txt", sha256("fine"));
    await Promise.all([1, 2, 3].map(() => fetcher.require(1, "report.txt")));
    expect(state.numReads).toBe(1);
  });

  it.each(["../outside.txt", "/etc/passwd", "a/../../b", "attempts/1/token", "a\\b", ""])(
    "is not followed to %j",
    async (wicked) => {
      const { fetcher, tell, home, state, rows } = world({ [wicked]: "wicked" });
      tell("other", wicked, sha256("wicked"));
      await fetcher.giveUp(1);
      expect(rows).toEqual([]);
      tell("other", wicked, sha256("wicked"));
      await fetcher.require(1, wicked);
      expect(rows).toEqual([]);
      expect(state.numReads).toBe(0);
      expect(existsSync(path.join(home, "run"))).toBe(false);
    },
  );

  it("is not kept when its bytes are not those that were told, and is given up after five tries", async () => {
    const { fetcher, tell, at, state, rows } = world({ "report.txt": "other" });
    tell("report", "report.txt", sha256("fine"));
    for (let tries = 1; tries < 5; tries++)
      await expect(fetcher.require(1, "report.txt")).rejects.toThrow("not those that the worker");
    await fetcher.require(1, "report.txt");
    expect(existsSync(at("report.txt"))).toBe(false);
    expect([rows, state.lost]).toEqual([[], ["report.txt"]]);
  });

  it("is waited for while its machine is away, and whoever asks is told so", async () => {
    const { fetcher, tell, state, rows } = world({ "report.txt": "fine" });
    tell("report", "report.txt", sha256("fine"));
    state.isAway = true;
    await expect(fetcher.require(1, "report.txt")).rejects.toMatchObject({
      code: "executor-unavailable",
      message: expect.stringContaining("report.txt is still on the machine"),
    });
    expect(rows).toHaveLength(1);
    state.isAway = false;
    await fetcher.require(1, "report.txt");
    expect(rows).toEqual([]);
  });

  it("is lost with a silent machine only once its attempt has ended", async () => {
    const { fetcher, tell, state, rows } = world({ "report.txt": "fine" }, { patienceS: 0 });
    tell("report", "report.txt", sha256("fine"));
    state.isAway = true;
    fetcher.kick();
    await expect(fetcher.require(1, "report.txt")).rejects.toThrow("does not answer");
    expect(rows).toHaveLength(1);
    state.hasEnded = true;
    fetcher.kick();
    await vi.waitFor(() => expect(state.lost).toEqual(["report.txt"]), { timeout: 20_000 });
    expect(rows).toEqual([]);
  });

  it("is gone when its machine is given up, or when its policy has removed it there", async () => {
    const { fetcher, tell, state, rows } = world({});
    tell("checkpoint", "checkpoints/step-1", sha256("{}"));
    tell("checkpoint", "checkpoints/step-2", sha256("{}"));
    await fetcher.require(1, "checkpoints/step-1");
    expect(state.lost).toEqual(["checkpoints/step-1"]);
    state.isAway = true;
    await fetcher.giveUp(1);
    expect(state.lost).toEqual(["checkpoints/step-1", "checkpoints/step-2"]);
    expect(rows).toEqual([]);
  });

  it("goes here when its policy removes it there", async () => {
    const { fetcher, tell, at } = world({ "checkpoints/step-1/manifest.json": "{}" });
    tell("checkpoint", "checkpoints/step-1", sha256("{}"));
    await fetcher.require(1, "checkpoints/step-1");
    await fetcher.removed(1, "checkpoints/step-1");
    expect(existsSync(at("checkpoints/step-1"))).toBe(false);
  });
});
