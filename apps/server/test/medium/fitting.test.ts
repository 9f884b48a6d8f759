// What can be known of data, classes and a starting model before a training is queued is told before: nothing waits in
// line only to fail at its first step.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ApiError } from "@spotter/client";
import {
  type BodyInputOf,
  createRun,
  type Dataset,
  getDataset,
  getQueue,
  listRuns,
  type RecipeName,
} from "@spotter/contract";
import { afterAll, beforeAll, expect, it } from "vitest";
import { greyPng } from "../grey-png.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { makeZip } from "../zip.ts";

let server: TestServer;
const roots = mkdtempSync(path.join(tmpdir(), "spotter-fitting-"));
beforeAll(async () => {
  server = await startTestServer({ env: { SPOTTER_DATA_ROOTS: roots } });
});
afterAll(async () => {
  await server.close();
  rmSync(roots, { recursive: true, force: true });
});

/** @param file null for a zip. @returns the new version's number */
async function upload(name: string, file: string | null, body: string | Buffer): Promise<number> {
  const query = new URLSearchParams({ name, ...(file === null ? {} : { file }) });
  const type = file === null ? "application/zip" : "application/octet-stream";
  const response = await fetch(`${server.url}/api/datasets?${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.token}`, "content-type": type },
    body: Buffer.from(body),
  });
  const dataset = (await response.json()) as Dataset;
  return dataset.versions[0]?.id ?? 0;
}

function place(name: string, files: Readonly<Record<string, string | Buffer>>): string {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(roots, name, file)), { recursive: true });
    writeFileSync(path.join(roots, name, file), content);
  }
  return name;
}

/** What a training is refused with, field by field; where nothing is wrong with its config, the code of what is next. */
async function refusal(
  recipe: RecipeName,
  config: BodyInputOf<typeof createRun>["config"],
): Promise<unknown> {
  try {
    await server.client.call(createRun, { body: { recipe, config } });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const issues = error.details?.issues as { path: string; message: string }[] | undefined;
    if (issues === undefined) return error.code;
    return Object.fromEntries(issues.map((issue) => [issue.path, issue.message]));
  }
  return "queued";
}
/** This server has no workers: what passes every look at its config is refused for that alone. */
const PASSES = "executor-unavailable";

const pixel = greyPng(8, (x) => x * 8);
const animals = ["cat/1.png", "cat/2.png", "dog/1.png"].map((name) => ({ name, data: pixel }));

it("tells a language model from a table of classes, each by its file types and columns", async () => {
  const table = await upload("Reviews", "reviews.csv", "review,stars\ngood,5\nbad,1\n");
  const story = await upload("Story", "story.txt", "Once upon a time\nthere was a model.\n");
  const tableData = { data: { dataset_version: table } };
  const storyData = { data: { dataset_version: story } };
  expect(await refusal("text-lm", tableData)).toEqual({
    "config.data": "Reviews v1 holds .csv (1); text-lm learns from .txt, .jsonl, .md, .ndjson",
  });
  expect(await refusal("text-classify", storyData)).toEqual({
    "config.data":
      "Story v1 holds .txt (1); text-classify learns from .csv, .tsv or .jsonl files with the columns text, label, or from one folder of .txt files a class",
  });
  expect(await refusal("text-classify", tableData)).toEqual({
    "config.data":
      "reviews.csv of Reviews v1 has the columns review, stars; text-classify needs text, label: rename them, or name yours in text_column, label_column",
  });
  const named = { ...tableData, text_column: "review", label_column: "stars" };
  expect(await refusal("text-classify", named)).toBe(PASSES);
  expect(await refusal("text-lm", storyData)).toBe(PASSES);
});

it("looks at each table of a version, not at all of them together", async () => {
  const entries = [
    { name: "a.csv", data: Buffer.from("text,label\ngood,yes\nbad,no\n") },
    { name: "b.csv", data: Buffer.from("text,class\ngood,yes\nbad,no\n") },
  ];
  const version = await upload("Two tables", null, makeZip(entries));
  const told = await refusal("text-classify", { data: { dataset_version: version } });
  expect(told).toEqual({
    "config.data": expect.stringContaining("b.csv of Two tables v1 has the columns text, class;"),
  });
});

it("refuses recordings' and images' versions to questions about images, and a subset of other classes", async () => {
  const version = await upload("Pets", null, makeZip(animals));
  const data = { dataset_version: version };
  expect(await refusal("concept", { data })).toEqual({
    "config.data":
      "Pets v1 holds .png (3) and no questions.jsonl; concept learns from a folder with images and questions.jsonl (image, question, answer)",
  });
  expect(await refusal("vision", { data, class_subset: ["cat", "rose"] })).toEqual({
    "config.class_subset": "names rose, and Pets v1 has no such class; it has cat, dog",
  });
  expect(await refusal("vision", { data, class_subset: ["cat", "dog"] })).toBe(PASSES);
  const digits = { builtin: "digits" };
  expect(await refusal("vision", { class_subset: ["1", "eleven"] })).toEqual({
    "config.class_subset": expect.stringContaining("names eleven, and digits has no such class"),
  });
  const old = { data, old_data: digits, old_class_subset: ["cat"], replay_examples: 10 };
  expect(await refusal("vision", old)).toEqual({
    "config.old_class_subset": expect.stringContaining("names cat, and digits has no such class"),
  });
});

it("looks the same way at paths on the server", async () => {
  const reviews = place("reviews", { "a.jsonl": '{"content": "good"}\n', "b.txt": "words" });
  expect(await refusal("text-lm", { data: { path: reviews } })).toEqual({
    "config.data": expect.stringContaining("a.jsonl of reviews has the columns content;"),
  });
  const quiz = place("quiz", { "a.png": pixel, "questions.jsonl": '{"image": "a.png"}\n' });
  expect(await refusal("concept", { data: { path: quiz } })).toEqual({
    "config.data": expect.stringContaining("has the columns image; concept needs image, question"),
  });
  const flowers = place("flowers", { "rose/1.png": pixel, "tulip/notes.md": "none yet" });
  expect(await refusal("vision", { data: { path: flowers } })).toEqual({
    "config.data": expect.stringContaining("the class tulip of flowers has no .png,"),
  });
  const inner = place("zipped", { "flowers/rose/1.png": pixel, "flowers/tulip/1.png": pixel });
  expect(await refusal("vision", { data: { path: inner }, class_subset: ["rose", "tulip"] })).toBe(
    PASSES,
  );
  const tuned = place("tuning", { "rows.jsonl": '{"prompt": "1+1?", "reply": "2"}\n' });
  const model = { init_from: { hub: "owner/name" } };
  expect(await refusal("text-finetune", { ...model, data: { path: tuned } })).toEqual({
    "config.data": expect.stringContaining("rows.jsonl of tuning has the columns prompt, reply;"),
  });
  const named = { ...model, data: { path: tuned }, answer_column: "reply" };
  expect(await refusal("text-finetune", named)).toBe(PASSES);
});

it("refuses a config that the starting model contradicts, with the value that fits", async () => {
  const card = { recipe: "vision", config: { model: "cnn", width: 16 } };
  const model = place("pets-model", { "model.json": JSON.stringify(card) });
  const init_from = { path: model };
  expect(await refusal("vision", { init_from })).toEqual({
    "config.width": "is 32, and the starting model pets-model has 16; set it to 16",
  });
  expect(await refusal("vision", { init_from, width: 16 })).toBe(PASSES);
});

it("refuses widths that the heads do not divide, and replay of nothing", async () => {
  expect(await refusal("text-lm", { width: 100, heads: 3 })).toEqual({
    "config.width": "is 100; with 3 heads it must be a multiple of 6, such as 102",
  });
  expect(await refusal("vision", { replay_examples: 5 })).toEqual({
    "config.replay_examples":
      "is about old data, and old_data is empty: name it, or leave this empty.",
  });
});

it("has queued none of them", async () => {
  expect((await server.client.call(listRuns, {})).total).toBe(0);
  expect((await server.client.call(getQueue, {})).waiting).toEqual([]);
});

it("counts the file types of a version that was uploaded before they were kept", async () => {
  const version = await upload("Old", null, makeZip(animals));
  await server.database.transaction(async (transaction) => {
    await transaction
      .withTables<{ dataset_versions: { id: number; file_types: string | null } }>()
      .updateTable("dataset_versions")
      .set({ file_types: null })
      .where("id", "=", version)
      .execute();
  });
  const [row] = await server.database.read<{ dataset_id: number }>(
    `select dataset_id from dataset_versions where id = ${version}`,
  );
  const params = { dataset_id: String(row?.dataset_id) };
  const dataset = await server.client.call(getDataset, { params });
  expect(dataset.versions[0]?.file_types).toEqual({ ".png": 3 });
});
