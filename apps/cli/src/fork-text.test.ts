import { readFileSync } from "node:fs";
import path from "node:path";
import { ForkPlan, Lineage } from "@spotter/contract";
import { expect, test } from "vitest";
import { lineageText, planText } from "./fork-text.ts";

const golden = (name: string) =>
  JSON.parse(
    readFileSync(
      path.resolve(import.meta.dirname, "../../../packages/contract/golden/forks", name),
      "utf8",
    ),
  );

test("a plan says where it begins, what changes, what is kept, and what to know", () => {
  const text = planText(ForkPlan.parse(golden("ForkPlan.two-seeds.json")), "en");
  expect(text.split("\n")).toEqual([
    "From the checkpoint of step 120 of run 42; steps 121 to 600.",
    "  learning_rate: 0.003 → 0.001",
    "Kept: weights, optimizer. Begins anew: scheduler, rng, data_position.",
    "Learning rate: begins at 4.0e-5, peak 1.0e-3.",
    "  2 forks, each with a seed of its own: the random generators begin anew in each.",
  ]);
});

test("a family is a tree, the asked run marked", () => {
  const text = lineageText(Lineage.parse(golden("Lineage.parent-and-fork.json")), "en");
  expect(text.split("\n")).toEqual([
    "#42 vision-digits-42  finished  val/accuracy 93.0 % @ 480",
    "└─ #43* vision-digits-42-fork-43  queued  @ 120  learning_rate=0.001",
  ]);
});
