// Runs over HTTP: the list with its sorts and pages, changes, deletion, files, control.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  controlTraining,
  createRun,
  deleteRun,
  getRun,
  type ListRunsQuery,
  listRecipes,
  listRunFiles,
  listRunLogs,
  listRunMetricNames,
  listRuns,
  restoreRun,
  resumeRun,
  sendRunEvents,
  updateRun,
  VisionConfig,
} from "@spotter/contract";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { z } from "zod";
import { startTestServer, type TestServer } from "../harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

type Query = z.input<typeof ListRunsQuery>;

const open = (name: string, more: object = {}) =>
  server.client.call(createRun, { body: { name, ...more } });
const get = (id: number) => server.client.call(getRun, { params: { run_id: String(id) } });
const update = (id: number, body: object) =>
  server.client.call(updateRun, { params: { run_id: String(id) }, body });
const send = (id: number, seq: number, events: object[]) =>
  server.client.call(sendRunEvents, {
    params: { run_id: String(id) },
    body: { protocol: 1, attempt: 1, seq, events: events as never },
  });
const end = (id: number, seq: number, metrics: Record<string, number | "NaN" | "Infinity"> = {}) =>
  send(id, seq, [{ type: "run-ended", time: 2e9, state: "finished", metrics }]);

/** All ids of a list, read by pages. */
async function idsOf(query: Query): Promise<number[]> {
  const ids: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await server.client.call(listRuns, { query: { ...query, limit: "3", cursor } });
    ids.push(...page.runs.map(({ id }) => id));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return ids;
}

describe("the list of runs", () => {
  it("sorts by anything, page by page, with neither gap nor repeat", async () => {
    const values = [0.5, 0.9, 0.5, "NaN", 0.1, "Infinity", null, null] as const;
    const ids: number[] = [];
    for (const [index, value] of values.entries()) {
      const { id } = await open(`sorted ${"hbgaefcd"[index]}`, { tags: ["sorting"] });
      ids.push(id);
      if (value !== null) await end(id, 1, { accuracy: value });
    }
    const named = (...places: number[]) => places.map((place) => ids[place]);
    const sort = (text: string, direction: "asc" | "desc") =>
      idsOf({ tag: "sorting", sort: text, direction });
    expect(await sort("id", "desc")).toEqual([...ids].reverse());
    expect(await sort("created_at", "asc")).toEqual(ids);
    expect(await sort("name", "asc")).toEqual(named(3, 1, 6, 7, 4, 5, 2, 0));
    expect(await sort("metric:accuracy", "desc")).toEqual(named(5, 1, 2, 0, 4, 7, 6, 3));
    expect(await sort("metric:accuracy", "asc")).toEqual(named(4, 0, 2, 1, 5, 7, 6, 3));
    expect(await sort("metric:nothing", "asc")).toEqual([...ids].reverse());
    expect(new Set(await sort("duration", "desc"))).toEqual(new Set(ids));
    expect((await sort("state", "asc")).slice(0, 6).sort()).toEqual(named(0, 1, 2, 3, 4, 5));
  });

  it("filters by state, text, number, tag and project", async () => {
    const { id } = await open("A Needle", { tags: ["hay"], note: "in a stack" });
    expect(await idsOf({ q: "needle" })).toEqual([id]);
    expect(await idsOf({ q: "STACK" })).toEqual([id]);
    expect(await idsOf({ q: `#${id}` })).toContain(id);
    expect(await idsOf({ tag: "hay" })).toEqual([id]);
    expect(await idsOf({ tag: "ha" })).toEqual([]);
    expect(await idsOf({ tag: "hay", state: "running,paused" })).toEqual([id]);
    expect(await idsOf({ tag: "hay", state: "failed" })).toEqual([]);
    expect(await idsOf({ tag: "hay", project_id: "999" })).toEqual([]);
    const page = await server.client.call(listRuns, { query: { tag: "hay" } });
    expect(page.total).toBe(1);
  });

  it("shows the headline values, or a script's own names, or those that are asked for", async () => {
    const { id } = await open("with metrics", { tags: ["shown"] });
    await end(id, 1, { "val/accuracy": 0.9, zebra: 1 });
    const other = await open("with own names", { tags: ["shown"] });
    await end(other.id, 1, { aardvark: 2 });
    const query = { tag: "shown", sort: "id", direction: "asc" as const };
    const usual = await server.client.call(listRuns, { query });
    expect(usual.runs.map(({ metrics }) => metrics)).toEqual([
      { "val/accuracy": 0.9 },
      { aardvark: 2 },
    ]);
    const asked = await server.client.call(listRuns, { query: { ...query, metrics: "zebra" } });
    expect(asked.runs.map(({ metrics }) => metrics)).toEqual([{ zebra: 1 }, {}]);
    const { names } = await server.client.call(listRunMetricNames, { query: { q: "ardv" } });
    expect(names).toEqual(["aardvark"]);
  });

  it("refuses a cursor of another sort and a sort that there is not", async () => {
    const { next_cursor: cursor } = await server.client.call(listRuns, { query: { limit: "1" } });
    const bad = (query: Query) => server.client.call(listRuns, { query });
    await expect(bad({ sort: "name", cursor: cursor ?? "" })).rejects.toMatchObject({
      code: "invalid-request",
    });
    await expect(bad({ cursor: "nonsense" })).rejects.toMatchObject({ code: "invalid-request" });
    await expect(bad({ sort: "note" })).rejects.toMatchObject({ code: "invalid-request" });
  });
});

describe("a run", () => {
  it("is made once for one client id", async () => {
    const once = () => open("twice", { client_id: "client-id-1" });
    // A client that has waited too long asks again while the first request is still under way.
    const [first, atOnce] = await Promise.all([once(), once()]);
    expect(atOnce.id).toBe(first.id);
    expect((await once()).id).toBe(first.id);
  });

  it("of a recipe needs a sound config and a Python environment", async () => {
    const train = (config: object) =>
      server.client.call(createRun, { body: { recipe: "vision", config: config as never } });
    await expect(train({ epochs: 0, colour: "red" })).rejects.toMatchObject({
      code: "config-invalid",
      details: { issues: [{ path: "config.epochs" }, { path: "config.colour" }] },
    });
    await expect(train({})).rejects.toMatchObject({ code: "executor-unavailable" });
  });

  it("is renamed, tagged, noted and archived", async () => {
    const { id } = await open("before");
    const changed = await update(id, { name: "after", tags: ["x"], note: "why", archived: true });
    expect(changed).toMatchObject({ name: "after", tags: ["x"], note: "why" });
    expect(await idsOf({ q: "after" })).toEqual([]);
    expect(await idsOf({ q: "after", archived: "true" })).toEqual([id]);
    expect((await update(id, { archived: false })).archived_at).toBeNull();
  });

  it("is deleted once it has ended, and can be restored", async () => {
    const { id } = await open("to delete");
    const params = { run_id: String(id) };
    await expect(server.client.call(deleteRun, { params })).rejects.toMatchObject({
      code: "run-state-conflict",
    });
    await end(id, 1);
    await server.client.call(deleteRun, { params });
    expect(await idsOf({ q: "to delete" })).toEqual([]);
    expect(await idsOf({ q: "to delete", deleted: "true" })).toEqual([id]);
    expect((await server.client.call(restoreRun, { params })).deleted_at).toBeNull();
    expect(await idsOf({ q: "to delete" })).toEqual([id]);
  });

  it("keeps the last progress, the best value and what the worker told of itself", async () => {
    const { id } = await open("told");
    const progress = {
      type: "run-progress",
      time: 3,
      step: 10,
      total_steps: 20,
      epoch: 1,
      total_epochs: 2,
      batch: 10,
      batches: 10,
      eta_s: 1,
      steps_per_s: 10,
      lr_schedule: "cosine",
      phase: "training",
    };
    await send(id, 1, [
      { type: "run-started", time: 1, device: "cpu", model: { name: "cnn", parameters: 7 } },
      { ...progress, step: 9 },
      progress,
      {
        type: "epoch-completed",
        time: 3,
        epoch: 1,
        step: 10,
        metrics: {},
        checkpoint_saved: true,
        best: { metric: "val/accuracy", value: 0.5, step: 10 },
      },
    ]);
    expect(await get(id)).toMatchObject({
      state: "running",
      device: "cpu",
      model: { name: "cnn", parameters: 7 },
      progress: { step: 10, phase: "training" },
      best: { metric: "val/accuracy", value: 0.5, step: 10 },
      attempts: [{ attempt: 1, first_step: 0 }],
    });
  });

  it("outside Spotter can be closed, not paused or resumed", async () => {
    const { id } = await open("elsewhere");
    const control = (action: "pause" | "stop") =>
      server.client.call(controlTraining, { body: { action, run_id: id } });
    await expect(control("pause")).rejects.toMatchObject({ code: "run-state-conflict" });
    expect((await control("stop")).state).toBe("stopped");
    await expect(control("stop")).rejects.toMatchObject({ code: "run-state-conflict" });
    const resume = server.client.call(resumeRun, { params: { run_id: String(id) } });
    await expect(resume).rejects.toMatchObject({ code: "run-state-conflict" });
  });
});

describe("log lines", () => {
  it("are numbered in order of arrival and read by pages, level and text", async () => {
    const { id } = await open("logging");
    const lines = Array.from({ length: 120 }, (_, index) => ({
      time: index,
      stream: "stdout",
      level: index % 10 === 9 ? "warning" : "info",
      text: `text ${index + 1}\u0000`,
      step: index,
    }));
    await send(id, 1, [
      { type: "log-lines", lines: lines.slice(0, 70) },
      { type: "log-lines", lines: lines.slice(70) },
    ]);
    const read = (query: object) =>
      server.client.call(listRunLogs, { params: { run_id: String(id) }, query });
    const last = await read({ limit: "5" });
    expect(last).toMatchObject({ first_line_no: 116, last_line_no: 120, total: 120 });
    expect(last.lines.at(-1)).toMatchObject({ text: "text 120\ufffd", step: 119, attempt: 1 });
    expect((await read({ after: "10", limit: "2" })).lines.map(({ line_no }) => line_no)).toEqual([
      11, 12,
    ]);
    expect((await read({ before: "3" })).lines.map(({ line_no }) => line_no)).toEqual([1, 2]);
    expect((await read({ level: "warning" })).lines).toHaveLength(12);
    expect((await read({ q: "TEXT 77" })).lines.map(({ line_no }) => line_no)).toEqual([77]);
  });
});

describe("a log that goes on and on", () => {
  it("keeps its beginning and its end, and says how much is between them", async () => {
    const small = await startTestServer({ env: { SPOTTER_MAX_LOG_LINES: "100" } });
    onTestFinished(() => small.close());
    const { id } = await small.client.call(createRun, { body: { name: "chatty" } });
    const params = { run_id: String(id) };
    const read = async () =>
      (await small.client.call(listRunLogs, { params, query: { after: "0", limit: "1000" } }))
        .lines;
    let numSent = 0;
    for (const [index, size] of [100, 1, 150, 30].entries()) {
      const lines = Array.from({ length: size }, (_, line) => ({
        ...{ time: 1, stream: "stdout", level: "info", step: null },
        text: `line ${numSent + line + 1}`,
      }));
      await small.client.call(sendRunEvents, {
        params,
        body: {
          ...{ protocol: 1, attempt: 1, seq: index + 1 },
          events: [{ type: "log-lines", lines }] as never,
        },
      });
      numSent += size;
      const kept = await read();
      expect(kept).toHaveLength(100);
      const numbers = kept.map(({ line_no }) => line_no);
      expect(numbers.slice(0, 51)).toEqual(Array.from({ length: 51 }, (_, at) => at + 1));
      expect(numbers.slice(51)).toEqual(Array.from({ length: 49 }, (_, at) => numSent - 48 + at));
      expect(kept[99]?.text).toBe(`line ${numSent}`);
      if (numSent === 100) expect(kept[50]?.text).toBe("line 51");
      else
        expect(kept[50]).toMatchObject({
          level: "warning",
          text: `${numSent - 99} lines are left out here: of a run's log 100 are kept (SPOTTER_MAX_LOG_LINES)`,
        });
    }
  });
});

describe("files", () => {
  it("are handed out from inside the run folder only", async () => {
    const { id } = await open("with files");
    const folder = path.join(server.home, "runs", String(id));
    mkdirSync(path.join(folder, "checkpoints/step-1"), { recursive: true });
    writeFileSync(path.join(folder, "weights.bin"), "weights");
    writeFileSync(path.join(folder, "checkpoints/step-1/manifest.json"), "{}");
    symlinkSync("/etc/passwd", path.join(folder, "link"));
    const paths = [
      "weights.bin",
      "checkpoints/step-1",
      "link",
      "../../spotter.db",
      "/etc/passwd",
      "gone",
    ];
    const saved = { type: "file-saved", time: 1, kind: "weights", size: 7, sha256: "0".repeat(64) };
    await send(
      id,
      1,
      paths.map((name) => ({ ...saved, path: name })),
    );
    const { files } = await server.client.call(listRunFiles, { params: { run_id: String(id) } });
    const answers = await Promise.all(
      files.map(async (file) => {
        const response = await fetch(`${server.url}/api/runs/${id}/files/${file.id}/content`, {
          headers: { authorization: `Bearer ${server.token}` },
        });
        return [file.path, response.status, response.ok ? await response.text() : null];
      }),
    );
    expect(answers.sort()).toEqual(
      [
        ["weights.bin", 200, "weights"],
        ["checkpoints/step-1", 200, "{}"],
        ["link", 404, null],
        ["../../spotter.db", 404, null],
        ["/etc/passwd", 404, null],
        ["gone", 404, null],
      ].sort(),
    );
  });

  it("have one best checkpoint: the newest that was called so", async () => {
    const { id } = await open("with checkpoints");
    const facts = { time: 1, kind: "checkpoint", size: 7, sha256: "0".repeat(64), label: "best" };
    const checkpoint = (step: number) => ({
      ...{ ...facts, type: "file-saved", step },
      path: `checkpoints/step-${step}`,
    });
    await send(id, 1, [checkpoint(10), checkpoint(20)]);
    await send(id, 2, [{ ...checkpoint(30), label: null }]);
    const { files } = await server.client.call(listRunFiles, { params: { run_id: String(id) } });
    const labels = files.map(({ step, label }) => [step, label]);
    expect(labels.sort()).toEqual([
      [10, null],
      [20, "best"],
      [30, null],
    ]);
  });

  it("have one last checkpoint: none is called so that another one follows", async () => {
    const { id } = await open("a script that calls each of its checkpoints the last one");
    const facts = { time: 1, kind: "checkpoint", size: 7, sha256: "0".repeat(64), label: "last" };
    const checkpoint = (step: number) => ({
      ...{ ...facts, type: "file-saved", step },
      path: `checkpoints/step-${step}`,
    });
    const labels = async () => {
      const { files } = await server.client.call(listRunFiles, { params: { run_id: String(id) } });
      return Object.fromEntries(files.map(({ step, label }) => [step, label]));
    };
    await send(id, 1, [checkpoint(10), checkpoint(20)]);
    expect(await labels()).toEqual({ 10: null, 20: "last" });
    await send(id, 2, [{ ...checkpoint(30), label: "best" }]);
    expect(await labels()).toEqual({ 10: null, 20: null, 30: "best" });
    await send(id, 3, [{ ...checkpoint(40), kind: "other" }, checkpoint(50)]);
    expect(await labels()).toEqual({ 10: null, 20: null, 30: "best", 40: "last", 50: "last" });
  });
});

describe("recipes", () => {
  it("carry a schema with help in both languages for every field", async () => {
    const { recipes } = await server.client.call(listRecipes, {});
    const properties = recipes[0]?.config_schema.properties as Record<
      string,
      { description_zh?: string }
    >;
    expect(Object.keys(properties).sort()).toEqual(Object.keys(VisionConfig.shape).sort());
    for (const property of Object.values(properties)) expect(property.description_zh).toBeTruthy();
  });
});

describe("ten thousand runs", () => {
  it("are listed by pages under any sort", async () => {
    const first = (await open("one of many")).id;
    const n = 10_000;
    await server.database.transaction(async (transaction) => {
      await sql`insert into jobs (id, kind, project_id, name, state, created_at)
        with recursive n(i) as (select 1 union all select i + 1 from n where i < ${sql.lit(n)})
        select ${sql.lit(first)} + i, 'external', 1, 'many', 'finished', i from n`.execute(
        transaction,
      );
      await sql`insert into runs (id, project_id, name, name_key, source, state, note, tags, search_text, config, created_at, started_at, ended_at)
        select id, 1, 'many ' || id, 'many ' || id, 'script', 'finished', '', '["many"]', 'many', '{}', created_at, 1, 1 + id % 977
        from jobs where name = 'many'`.execute(transaction);
      await sql`insert into run_metrics (run_id, name, last_value)
        select id, 'val/loss', (id * 7919) % 10007 from jobs where name = 'many'`.execute(
        transaction,
      );
    });
    for (const sort of ["id", "name", "state", "created_at", "duration", "metric:val/loss"]) {
      const page = await server.client.call(listRuns, {
        query: { sort, tag: "many", limit: "100" },
      });
      expect([page.runs.length, page.total]).toEqual([100, n]);
      const next = await server.client.call(listRuns, {
        query: { sort, tag: "many", limit: "100", cursor: page.next_cursor ?? "" },
      });
      // A cursor holds a place and nothing that grows from page to page.
      expect(next.next_cursor?.length).toBeLessThan(300);
      expect(new Set([...page.runs, ...next.runs].map(({ id }) => id)).size).toBe(200);
    }
  });
});
