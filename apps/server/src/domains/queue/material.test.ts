// What leaves the server with an attempt, and what its spec says where it arrives.
import type { JobSpec } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { materialOf, relocated } from "./material.ts";

const spec = {
  ...{ protocol: 1, job_id: 7, attempt: 1, kind: "train", name: "n", recipe: "vision", config: {} },
  ...{ preflight: null, fork: null, num_threads: 1, resume_from: null, predict: null },
  places: { data: "/home/datasets/3", init_from: "/home/models/4" },
} as const satisfies JobSpec;

describe("what an attempt needs", () => {
  it("is every place that its spec names, each once", () => {
    const twice = { ...spec, places: { data: "/d", texts: "/d" } };
    expect(materialOf(twice, "/home/runs/7")).toEqual([{ path: "/d", inRunDir: null }]);
  });

  it("is the checkpoint and the changes of before, where its worker looks for them", () => {
    const again = { ...spec, attempt: 2, resume_from: "checkpoints/step-00000010" };
    expect(materialOf(again, "/home/runs/7").slice(2)).toEqual([
      { path: "/home/runs/7/changes.json", inRunDir: "changes.json" },
      {
        path: "/home/runs/7/checkpoints/step-00000010",
        inRunDir: "checkpoints/step-00000010",
      },
    ]);
  });

  it("is a prediction's weights and pictures", () => {
    const input = { name: "a cat", file: "/home/tmp/1.png", text: null, sample: null };
    const word = { name: "a word", file: null, text: "cat", sample: null };
    const predict = { weights: "/home/runs/7/weights", inputs: [input, word] };
    const wanted = { ...spec, kind: "predict" as const, places: {}, predict };
    expect(materialOf(wanted, "/home/runs/8").map(({ path }) => path)).toEqual([
      "/home/runs/7/weights",
      "/home/tmp/1.png",
    ]);
    const there = relocated(wanted, (path) => `/far${path}`);
    expect(there.predict).toEqual({
      weights: "/far/home/runs/7/weights",
      inputs: [{ ...input, file: "/far/home/tmp/1.png" }, word],
    });
  });
});

describe("a spec on another machine", () => {
  it("names the places as they lie there, and is otherwise the same", () => {
    const { places, ...rest } = relocated(spec, (path) => path.replace("/home", "/far"));
    expect(places).toEqual({ data: "/far/datasets/3", init_from: "/far/models/4" });
    const { places: _, ...before } = spec;
    expect(rest).toEqual(before);
  });
});
