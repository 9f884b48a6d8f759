// The draft of a new training survives the address.
import { expect, it } from "vitest";
import { draftAddress, readDraft } from "./prepare-draft.ts";

it("keeps a draft through the address", () => {
  const draft = {
    from: "42",
    recipe: "vision",
    name: "hand-写数字",
    model: "digits",
    tags: "baseline",
    config: { data: { path: "/data/flowers" }, epochs: 3 },
    queue: '{"gpus":"2"}',
  };
  expect(readDraft(draftAddress(draft))).toEqual(draft);
  expect(draftAddress(readDraft({}))).toEqual({});
});

it("takes a broken address for no draft", () => {
  expect(readDraft({ from: "1; drop", config: "{" })).toEqual({
    from: null,
    recipe: null,
    name: "",
    model: "",
    tags: "",
    config: {},
    queue: "",
  });
});
