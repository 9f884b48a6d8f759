// Fine-tuning through the whole server with a real worker: from a model on a Hub to a version that answers, and on from it.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  createRun,
  findModelVersions,
  getModelVersion,
  getRun,
  listRunLogs,
  listRuns,
  predictWithModelVersion,
  type Run,
} from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const python = path.join(root, ".venv/bin/python");
const pythonTests = path.join(root, "worker/tests");
// A worker loads torch, transformers and peft before it begins.
const WITHIN_MS = 150_000;

// Until its input is closed.
const SERVE = `
import sys, pathlib, hub_stub
stub = hub_stub.HubStub({"tiny/llama": pathlib.Path(sys.argv[1])})
print(stub.url, flush=True)
sys.stdin.read()
`;

let server: TestServer;
let hub: ChildProcess;
let dataRoot: string;
beforeAll(async () => {
  dataRoot = mkdtempSync(path.join(tmpdir(), "spotter-finetune-"));
  const base = path.join(dataRoot, "base");
  const make =
    "import sys, pathlib, tiny_models; tiny_models.make_model(pathlib.Path(sys.argv[1]))";
  execFileSync(python, ["-c", make, base], { cwd: pythonTests, stdio: "pipe" });
  hub = spawn(python, ["-c", SERVE, base], { cwd: pythonTests });
  const [address] = (await once(hub.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  // What the server was started with, its workers inherit.
  vi.stubEnv("HF_ENDPOINT", address.toString().trim());
  vi.stubEnv("HF_HOME", path.join(dataRoot, "hub"));
  const rows = Array.from({ length: 24 }, (_, n) => ({
    instruction: `Colour of ${n % 2 === 0 ? "sky" : "rose"} ${n}?`,
    output: n % 2 === 0 ? "blue" : "red",
  }));
  writeFileSync(
    path.join(dataRoot, "pairs.jsonl"),
    rows.map((row) => JSON.stringify(row)).join("\n"),
  );
  writeFileSync(path.join(dataRoot, "wrong.jsonl"), '{"question": "a", "reply": "b"}\n');
  server = await startTestServer({ hasWorkers: true, env: { SPOTTER_DATA_ROOTS: dataRoot } });
}, WITHIN_MS);
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
  hub.kill();
  await rm(dataRoot, { recursive: true, force: true });
});

async function finetune(config: Record<string, unknown>): Promise<Run> {
  const { id } = await server.client.call(createRun, {
    body: {
      recipe: "text-finetune",
      config: {
        data: { path: path.join(dataRoot, "pairs.jsonl") },
        init_from: { hub: "tiny/llama" },
        ...{ epochs: 1, learning_rate: 0.01, sample_tokens: 3, ...config },
      },
    },
  });
  return waitUntil(
    () => server.client.call(getRun, { params: { run_id: String(id) } }),
    ({ attempts }) => attempts[0]?.state === "ended",
    WITHIN_MS,
  );
}

describe("a fine-tuning", { timeout: 4 * WITHIN_MS }, () => {
  it("becomes a version that answers, and that another fine-tuning goes on from", async () => {
    const run = await finetune({});
    expect(run).toMatchObject({ state: "finished", error: null });
    expect(run.best?.metric).toBe("val/loss");
    expect(run.metrics["val/loss"]).toBeLessThan(10);
    const { lines } = await server.client.call(listRunLogs, { params: { run_id: String(run.id) } });
    expect(lines.map(({ text }) => text).join("\n")).toMatch(
      /downloading tiny\/llama [\s\S]*template: the model's own/,
    );

    const [version] = await waitUntil(
      async () =>
        (await server.client.call(findModelVersions, { query: { run_id: String(run.id) } }))
          .versions,
      ([found]) => found?.storage === "stored",
    );
    if (version === undefined) throw new Error("the run has no version");
    const params = { version_id: version.id };
    expect(Object.keys(version.metrics)).toContain("val/perplexity");
    const { files } = await server.client.call(getModelVersion, { params });
    expect(files.map((file) => file.path)).toEqual(
      expect.arrayContaining([
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "chat_template.jinja",
        ...["config.json", "model.json", "model.safetensors", "tokenizer.json"],
      ]),
    );
    const answer = await server.client.call(predictWithModelVersion, {
      params,
      body: { inputs: [{ name: "question", text: "Colour of sky 1?" }] },
    });
    expect(answer.predictions[0]).toMatchObject({ input: "question", label: null });
    expect(typeof answer.predictions[0]?.text).toBe("string");

    const next = await finetune({ init_from: { model_version: version.id }, method: "full" });
    expect(next).toMatchObject({ state: "finished", error: null });
  });

  it("names the columns that it found where others are expected, before anything is trained", async () => {
    const before = (await server.client.call(listRuns, {})).total;
    await expect(
      finetune({ data: { path: path.join(dataRoot, "wrong.jsonl") } }),
    ).rejects.toMatchObject({
      code: "config-invalid",
      message: expect.stringContaining("wrong.jsonl has the columns question, reply;"),
    });
    expect((await server.client.call(listRuns, {})).total).toBe(before);
  });
});
