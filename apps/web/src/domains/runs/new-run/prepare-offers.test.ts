// A form offers what its recipe can learn from, and says of the rest why not.
import type { Dataset, DatasetVersion } from "@spotter/contract";
import { expect, it } from "vitest";
import { offeredOf } from "./prepare-offers.ts";

function dataset(
  id: number,
  kind: Dataset["kind"],
  facts: Partial<Pick<DatasetVersion, "file_types" | "columns" | "classes">>,
): Dataset {
  const common = { created_at: 1, created_by: 1, id };
  const version: DatasetVersion = {
    ...{ ...common, dataset_id: id, version: 1, num_files: 1, size: 1, sha256: "0".repeat(64) },
    ...{ classes: {}, num_rows: null, columns: [], file_types: {}, skipped: [], ...facts },
  };
  return { ...common, project_id: 1, name: `data${id}`, kind, versions: [version] };
}
const reviews = dataset(1, "text", { file_types: { ".csv": 1 }, columns: ["text", "label"] });
const story = dataset(2, "text", { file_types: { ".txt": 3 } });
const topics = dataset(3, "text", { file_types: { ".txt": 4 }, classes: { a: 2, b: 2 } });
const talks = dataset(4, "text", { file_types: { ".jsonl": 1 }, columns: ["messages"] });
const stars = dataset(5, "text", { file_types: { ".csv": 1 }, columns: ["review", "stars"] });
const pets = dataset(6, "image-folder", { file_types: { ".png": 2 }, classes: { a: 1, b: 1 } });
const all = [reviews, story, topics, talks, stars, pets];
const columns = { text_column: "text", label_column: "label", text_field: "text" };
const tuning = { ...columns, format: "auto", messages_column: "messages" };

function offered(recipe: string, config: Record<string, string>): number[] {
  const offers = offeredOf(all, recipe, config);
  return offers.filter(({ problem }) => problem === null).map(({ id }) => id);
}

it("offers each of the text recipes its own texts", () => {
  expect(offered("text-classify", columns)).toEqual([1, 3]);
  expect(offered("text-lm", columns)).toEqual([2, 3]);
  expect(offered("text-finetune", tuning)).toEqual([1, 4]);
});

it("offers a table under other names once these are given", () => {
  expect(offered("text-classify", { text_column: "review", label_column: "stars" })).toEqual([
    3, 5,
  ]);
  const told = offeredOf([stars], "text-classify", columns)[0]?.problem;
  expect(told).toBe(
    "*.csv of data5 v1 has the columns review, stars; text-classify needs text, label: rename them, or name yours in text_column, label_column",
  );
});

it("offers images to vision, and nothing without questions to concept", () => {
  expect(offered("vision", {})).toEqual([6]);
  expect(offeredOf([pets], "concept", {})[0]?.problem).toContain("no questions.jsonl");
});
