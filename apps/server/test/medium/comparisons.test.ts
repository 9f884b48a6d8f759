// Comparisons over real HTTP: reports of runs with seeds, saved ones that outlive their runs, roles, files, audit.
import { HttpClient } from "@spotter/client";
import {
  compareRuns,
  controlTraining,
  createComparison,
  createProject,
  createRun,
  createUser,
  deleteComparison,
  deleteRun,
  getComparison,
  listAudit,
  listComparisons,
  type MetricValue,
  originWords,
  sendRunEvents,
  setMember,
  signInForToken,
  updateComparison,
} from "@spotter/contract";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFakeTraining } from "../fake-training.ts";
import { startTestServer, type TestServer } from "../harness.ts";

const PASSWORD = "a long enough password";
const DAY_S = 86_400;
/** Of a saved file. */
const CONTENT = { size: 10, sha256: "0".repeat(64) };
let server: TestServer;
let now = 1_795_000_000;

beforeAll(async () => {
  server = await startTestServer({ clock: { now: () => now } });
});
afterAll(() => server.close());

interface ScriptRun {
  readonly name?: string;
  readonly projectId?: number;
  readonly config?: Record<string, string | number | boolean>;
  readonly series: Readonly<Record<string, readonly MetricValue[]>>;
  readonly isOpen?: boolean;
}

/** A run of an own script that has told these values at the steps 0, 1, 2, … */
async function makeRun({ name, projectId, config, series, isOpen }: ScriptRun): Promise<number> {
  const run = await server.client.call(createRun, {
    body: {
      ...(name === undefined ? {} : { name }),
      ...(projectId === undefined ? {} : { project_id: projectId }),
      config: config ?? {},
    },
  });
  const columns = Object.entries(series).map(([metric, values]) => {
    const steps = values.map((_, step) => step);
    return [
      metric,
      { step: steps, time: steps.map((step) => 1_700_000_000 + step), value: [...values] },
    ];
  });
  const ended = { type: "run-ended", time: 1_700_000_100, state: "finished" } as const;
  await server.client.call(sendRunEvents, {
    params: { run_id: run.id },
    body: {
      ...{ protocol: 1, attempt: 1, seq: 1 },
      events: [
        { type: "metric-points", series: Object.fromEntries(columns) },
        ...(isOpen === true ? [] : [ended]),
      ],
    },
  });
  return run.id;
}

const report = (runs: readonly number[], more: object = {}, client = server.client) =>
  client.call(compareRuns, { query: { runs: runs.join(","), ...more } });

/** As if the run had begun in a checkpoint of its parent: the rows that a fork leaves. */
async function writeFork(
  id: number,
  parent: number,
  step: number,
  keep: object,
  changes: readonly object[] = [],
): Promise<void> {
  const sha = String(step).padStart(64, "0");
  await server.database.transaction(async (transaction) => {
    await sql`update runs set parent_id = ${parent} where id = ${id}`.execute(transaction);
    await sql`insert into run_forks (run_id, parent_id, step, checkpoint_sha256, keep, changes)
      values (${id}, ${parent}, ${step}, ${sha}, ${JSON.stringify(keep)}, ${JSON.stringify(changes)})`.execute(
      transaction,
    );
  });
}

async function clientOf(name: string, projectId: number | null, role: "viewer" | "member") {
  const membership = projectId === null ? {} : { project_id: projectId, role };
  await server.client.call(createUser, { body: { name, password: PASSWORD, ...membership } });
  const anonymous = new HttpClient({ baseUrl: server.url });
  const body = { name, password: PASSWORD, token_name: "test" };
  const { secret } = await anonymous.call(signInForToken, { body });
  return new HttpClient({ baseUrl: server.url, token: secret });
}

/** Two learning rates, the same three seeds. */
async function makeSeeds(): Promise<number[]> {
  const ids: number[] = [];
  for (const [lr, finals] of [
    [0.1, [0.9, 0.91, 0.905]],
    [0.3, [0.93, 0.941, 0.934]],
  ] as const)
    for (const [seed, final] of finals.entries())
      ids.push(
        await makeRun({
          name: `lr-${lr}-seed-${seed}`,
          config: { lr, batch_size: 32, seed },
          series: {
            "val/accuracy": [0.5, final + 0.01, final],
            "train/loss": [2, 1, 0.5],
            "system/cpu_percent": [3, 4, 5],
          },
        }),
      );
  return ids;
}

describe("a report", () => {
  it("groups runs that differ in the seed only, and judges the groups by pairs", async () => {
    const ids = await makeSeeds();
    const answer = await report(ids);
    expect(answer.runs.map(({ group, seed }) => `${group}${seed}`)).toEqual([
      ...["A0", "A1", "A2", "B0", "B1", "B2"],
    ]);
    expect(answer.metrics.map(({ name }) => name)).toEqual(["val/accuracy", "train/loss"]);
    expect(answer).toMatchObject({
      ...{ metric: "val/accuracy", direction: "higher", value: "last", base: "A" },
      ...{ num_metrics: 2, missing_run_ids: [] },
    });
    expect(answer.groups.map(({ label, n }) => [label, n])).toEqual([
      ["lr 0.1", 3],
      ["lr 0.3", 3],
    ]);
    expect(answer.groups[0]?.mean).toBeCloseTo(0.905, 12);
    const [accuracy] = answer.metrics;
    expect(accuracy?.better).toEqual({ last: [ids[4]], best: [ids[4]] });
    expect(accuracy?.readings[4]).toEqual({
      ...{ run_id: ids[4], last: { step: 2, value: 0.941 }, best: 0.951 },
      ...{ num_points: 3, num_non_finite: 0 },
    });
    const [verdict] = answer.verdicts;
    expect(verdict).toMatchObject({
      ...{ base: "A", other: "B", outcome: "better", test: "paired", n_base: 3, n_other: 3, df: 2 },
      ...{ seeds: null, left_out: [], unfinished: [] },
    });
    expect(verdict?.difference).toBeCloseTo(0.03, 12);
    expect(answer.config.filter(({ differs }) => differs).map(({ key }) => key)).toEqual([
      "lr",
      "seed",
    ]);
    const turned = await report(ids, { base: String(ids[5]), value: "best" });
    expect(turned).toMatchObject({ base: "B", value: "best" });
    expect(turned.verdicts[0]).toMatchObject({ base: "B", other: "A", outcome: "worse" });
  });

  it("keeps a training apart whose values were changed while it ran, until the change is taken back", async () => {
    const begin = async (seed: number) => {
      const config = { data: { builtin: "digits" }, learning_rate: 0.003, seed };
      const training = await startFakeTraining(server, { config });
      await training.send([{ type: "run-started", time: 1 }]);
      return training;
    };
    const [plain, changed] = [await begin(1), await begin(2)];
    const ids = [plain.id, changed.id];
    const after = { learning_rate: 0.0001 };
    const { command } = await server.client.call(controlTraining, {
      body: { action: "set", run_id: changed.id, values: after, reason: "the loss jumps" },
    });
    expect((await report(ids)).groups.map(({ run_ids }) => run_ids)).toEqual([ids]);
    const checkpoint = "checkpoints/step-00000285";
    const change = {
      ...{ before: { learning_rate: 0.003 }, after, checkpoint },
      ...{ rate_before: 0.003, rate_after: 0.0001 },
    };
    const acked = { type: "command-acked", time: 5, outcome: "done", step: 285 };
    await changed.send([
      {
        ...{ type: "file-saved", kind: "checkpoint", path: checkpoint, step: 285, time: 4 },
        ...CONTENT,
      },
      { ...acked, command_id: command?.id, change },
    ]);
    const apart = await report(ids);
    expect(apart.groups.map(({ run_ids }) => run_ids)).toEqual([[plain.id], [changed.id]]);
    expect(apart.groups[1]?.label).toBe("learning_rate 0.0001 from step 286");
    const reverted = await server.client.call(controlTraining, {
      body: { action: "revert", run_id: changed.id, reason: "it got worse" },
    });
    await changed.send([{ ...acked, time: 6, command_id: reverted.command?.id }]);
    expect((await report(ids)).groups.map(({ run_ids }) => run_ids)).toEqual([ids]);
  });

  it("keeps forks of other steps apart, and what was trained from scratch", async () => {
    const config = { data: { builtin: "digits" }, learning_rate: 0.0001 };
    const begin = async (seed: number, more: object = {}) => {
      const { id } = await startFakeTraining(server, { config: { ...config, seed, ...more } });
      return id;
    };
    const keep = { optimizer: true, scheduler: true, rng: false, data_position: false };
    const grandparent = await begin(1, { learning_rate: 0.003 });
    const parent = await begin(1, { learning_rate: 0.003 });
    await writeFork(parent, grandparent, 100, keep);
    const forks: number[] = [];
    for (const [step, seed, kept] of [
      [420, 23, keep],
      [420, 24, keep],
      [315, 23, keep],
      [315, 24, keep],
      [420, 1, { ...keep, rng: true }],
    ] as const) {
      forks.push(await begin(seed));
      const from = { key: "learning_rate", from: 0.003, to: 0.0001 };
      await writeFork(forks.at(-1) ?? 0, parent, step, kept, [from]);
    }
    const scratch = await begin(1);
    const answer = await report([...forks, scratch]);
    const [a, b, c, d, e] = forks;
    expect(answer.groups.map(({ run_ids }) => run_ids)).toEqual([[a, b], [c, d], [e], [scratch]]);
    expect(answer.groups[1]).toMatchObject({
      label: `learning_rate 0.0001 from step 316; fork of ${parent} @ 315`,
      label_zh: `learning_rate 自第 316 步起为 0.0001；分叉自 ${parent} @ 315`,
    });
    expect(originWords(answer.runs[0]?.origin ?? null, "en")).toBe(
      `run ${parent} @ step 420, keeps weights, optimizer, schedule; learning_rate 0.0001 from step 421; run ${parent} began in run ${grandparent} @ step 100`,
    );
    expect(originWords(answer.runs[5]?.origin ?? null, "en")).toBe("from scratch");
  });

  it("says nothing better of runs that were measured on different examples", async () => {
    const measured = async (classes: readonly string[] | null, seed: number, value: number) => {
      const config = { data: { builtin: "digits" }, class_subset: classes, seed };
      const training = await startFakeTraining(server, { config });
      const series = Object.fromEntries(
        ["val/accuracy", "train/accuracy"].map((name) => [
          name,
          { step: [1, 2], time: [1, 2], value: [0.1, value] },
        ]),
      );
      await training.send([
        { type: "run-started", time: 1, config },
        { type: "metric-points", series },
      ]);
      return training.id;
    };
    const few = ["0", "1"];
    const [a, b] = [await measured(few, 1, 0.99), await measured(few, 2, 0.98)];
    const [c, d] = [await measured(null, 1, 0.91), await measured(null, 2, 0.9)];
    const answer = await report([a, b, c, d], { metric: "val/accuracy" });
    expect(answer.apart).toEqual([{ part: "val", fields: ["class_subset"] }]);
    const betterOf = (name: string) =>
      answer.metrics.find((metric) => metric.name === name)?.better.last;
    expect(betterOf("val/accuracy")).toEqual([]);
    expect(betterOf("train/accuracy")).toEqual([a]);
    expect(answer.verdicts[0]).toMatchObject({
      ...{ outcome: "no-verdict", reason: "apart", apart: ["class_subset"] },
    });
    const alike = await report([a, b], { metric: "val/accuracy" });
    expect(alike.apart).toEqual([]);
  });

  it("is honest about NaN, a missing metric, one run a group, and runs that go on", async () => {
    const a = await makeRun({ config: { lr: 1, seed: 1 }, series: { loss: [1, 0.5] } });
    const b = await makeRun({ config: { lr: 1, seed: 2 }, series: { loss: [1, "NaN"] } });
    const c = await makeRun({ config: { lr: 2, seed: 1 }, series: { loss: [0.4] }, isOpen: true });
    const d = await makeRun({ config: { lr: 2, seed: 2 }, series: { other: [1] } });
    const answer = await report([a, b, c, d], { metric: "loss" });
    expect(answer.verdicts[0]).toMatchObject({
      ...{ outcome: "no-verdict", reason: "one-run", n_base: 1, n_other: 1, unfinished: [c] },
      left_out: [
        { run_id: b, reason: "non-finite" },
        { run_id: d, reason: "missing" },
      ],
      seeds: { assumes: "unknown", per_group: null },
    });
    const loss = answer.metrics.find(({ name }) => name === "loss");
    expect(loss?.readings.map(({ run_id }) => run_id)).toEqual([a, b, c]);
    expect(loss?.readings[1]).toMatchObject({ last: { value: "NaN" }, best: 1, num_non_finite: 1 });
    const unknown = await report([a, c], { metric: "nobody/has_it", value: "best" });
    expect(unknown).toMatchObject({ metric: "nobody/has_it", direction: null, value: "last" });
    expect(unknown.verdicts[0]).toMatchObject({ outcome: "no-verdict", reason: "no-values" });
  });

  it("has nothing to judge by where no run has told a metric", async () => {
    const ids = [await makeRun({ series: {} }), await makeRun({ series: {} })];
    expect(await report(ids)).toMatchObject({ metric: null, metrics: [], verdicts: [] });
  });

  it("refuses runs that are not there, too many, and a base that is not among them", async () => {
    const id = await makeRun({ series: { loss: [1] } });
    await expect(report([id, 999_999])).rejects.toMatchObject({ code: "run-not-found" });
    const many = Array.from({ length: 51 }, (_, index) => index + 1);
    await expect(report(many)).rejects.toMatchObject({ code: "invalid-request" });
    await expect(report([id], { base: "999999" })).rejects.toMatchObject({
      code: "invalid-request",
    });
    await expect(report([id], { runs: "1,,2" })).rejects.toMatchObject({ code: "invalid-request" });
  });
});

describe("files", () => {
  it("hold the same report as CSV, JSON and Markdown", async () => {
    const ids = await makeSeeds();
    const read = async (format: string) => {
      const response = await fetch(
        `${server.url}/api/comparisons/export?runs=${ids.join(",")}&format=${format}`,
        { headers: { authorization: `Bearer ${server.token}` } },
      );
      expect(response.status).toBe(200);
      return { text: await response.text(), headers: response.headers };
    };
    const csv = await read("csv");
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(csv.headers.get("content-disposition")).toMatch(
      /^attachment; filename="runs-[\d-]+\.csv"$/,
    );
    expect(csv.text.split("\r\n")).toHaveLength(8);
    expect(JSON.parse((await read("json")).text)).toEqual(await report(ids));
    expect((await read("markdown")).text).toContain("lr 0.3 is better than lr 0.1");
  });
});

describe("a saved comparison", () => {
  it("has a name and an address, can be changed and deleted, and the audit log knows", async () => {
    const ids = await makeSeeds();
    const body = { name: "Learning rates", run_ids: ids, base: ids[3] ?? null };
    const saved = await server.client.call(createComparison, { body });
    expect(saved).toMatchObject({ ...body, metric: null, value: "last", project_id: 1 });
    const params = { comparison_id: saved.id };
    const open = await server.client.call(getComparison, { params });
    expect(open.report).toMatchObject({ base: "B", metric: "val/accuracy" });
    const other = await server.client.call(getComparison, {
      params,
      query: { metric: "train/loss", base: String(ids[0]) },
    });
    expect(other.report).toMatchObject({ base: "A", metric: "train/loss" });
    const change = { name: "Rates", run_ids: ids.slice(0, 4), base: ids[0] ?? null };
    const changed = await server.client.call(updateComparison, { params, body: change });
    expect(changed).toMatchObject(change);
    const { comparisons } = await server.client.call(listComparisons, {});
    expect(comparisons[0]).toEqual(changed);
    await server.client.call(deleteComparison, { params });
    await expect(server.client.call(getComparison, { params })).rejects.toMatchObject({
      code: "comparison-not-found",
    });
    const { entries } = await server.client.call(listAudit, { query: { limit: "20" } });
    const noted = entries.filter(
      ({ subject_id, subject_kind }) => subject_kind === "comparison" && subject_id === saved.id,
    );
    expect(noted.map(({ action }) => action).sort()).toEqual([
      "comparison-created",
      "comparison-deleted",
      "comparison-updated",
    ]);
  });

  it("outlives its runs: deleted ones are marked, purged ones are told as missing", async () => {
    const [a, b, c] = (await makeSeeds()) as [number, number, number];
    const body = { name: "Fades", run_ids: [a, b, c], base: a };
    const { id } = await server.client.call(createComparison, { body });
    await server.client.call(deleteRun, { params: { run_id: a } });
    const params = { comparison_id: id };
    const marked = await server.client.call(getComparison, { params });
    expect(marked.report.runs.map(({ deleted_at }) => deleted_at !== null)).toEqual([
      true,
      false,
      false,
    ]);
    now += 8 * DAY_S;
    await server.app.sweep();
    const { comparison, report: rest } = await server.client.call(getComparison, { params });
    expect(rest.missing_run_ids).toEqual([a]);
    expect(rest.runs.map((run) => run.id)).toEqual([b, c]);
    expect(rest.groups[0]?.n).toBe(2);
    expect(comparison.base).toBe(a);
    const kept = { params, body: { name: "Still", run_ids: [a, b] } };
    expect(await server.client.call(updateComparison, kept)).toMatchObject({ run_ids: [a, b] });
    now -= 8 * DAY_S;
  });

  it("belongs to the project of its runs: others neither see nor change it", async () => {
    const project = await server.client.call(createProject, { body: { name: "Secret" } });
    const hidden = await makeRun({ projectId: project.id, series: { loss: [1] } });
    const open = await makeRun({ series: { loss: [1] } });
    const viewer = await clientOf("compare-viewer", 1, "viewer");
    const member = await clientOf("compare-member", 1, "member");
    await expect(report([open, hidden], {}, viewer)).rejects.toMatchObject({
      status: 403,
      code: "role-too-low",
    });
    const secret = await server.client.call(createComparison, {
      body: { name: "Hidden", run_ids: [hidden] },
    });
    await expect(
      viewer.call(getComparison, { params: { comparison_id: secret.id } }),
    ).rejects.toMatchObject({ code: "role-too-low" });
    const names = (await viewer.call(listComparisons, {})).comparisons.map(({ name }) => name);
    expect(names).not.toContain("Hidden");
    const asked = { query: { project_id: String(project.id) } };
    expect((await viewer.call(listComparisons, asked)).comparisons).toEqual([]);
    const body = { name: "Mine", run_ids: [open] };
    await expect(viewer.call(createComparison, { body })).rejects.toMatchObject({ status: 403 });
    const mine = await member.call(createComparison, { body });
    const params = { comparison_id: mine.id };
    expect((await viewer.call(getComparison, { params })).comparison.name).toBe("Mine");
    await expect(viewer.call(deleteComparison, { params })).rejects.toMatchObject({ status: 403 });
    await expect(
      member.call(updateComparison, { params, body: { run_ids: [open, hidden] } }),
    ).rejects.toMatchObject({ code: "invalid-request" });
    await expect(
      member.call(updateComparison, { params, body: { base: hidden } }),
    ).rejects.toMatchObject({ code: "invalid-request" });
    await server.client.call(setMember, {
      params: { project_id: project.id, user_id: await idOf(viewer) },
      body: { role: "viewer" },
    });
    expect((await report([open, hidden], {}, viewer)).runs).toHaveLength(2);
  });
});

async function idOf(client: HttpClient): Promise<number> {
  const response = await client.request({ method: "GET", path: "/api/auth/me" }, {});
  return ((await response.json()) as { user: { id: number } }).user.id;
}
