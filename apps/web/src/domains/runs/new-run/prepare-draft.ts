// The draft of a new training between the page and its address. Pure.
import { readJson } from "./prepare-config.ts";
import type { Config } from "./prepare-fields.ts";

export interface Draft {
  /** The run that is copied. */
  from: string | null;
  /** The recipe that was chosen; null for the copied run's, or the first. */
  recipe: string | null;
  name: string;
  /** The model that its weights become a version of; empty: named by the server. */
  model: string;
  tags: string;
  /** What differs from the recipe or the copied run. */
  config: Config;
  /** What it asks of the queue, as `prepare-wishes` writes it. */
  queue: string;
}

export function readDraft(address: Record<string, unknown>): Draft {
  const from = text(address.from);
  // A draft that is broken, by hand or by a mailer, is no draft.
  const read = readJson(text(address.config) || "{}");
  return {
    from: /^[1-9]\d{0,14}$/.test(from) ? from : null,
    recipe: text(address.recipe) || null,
    name: text(address.name),
    model: text(address.model),
    tags: text(address.tags),
    config: "config" in read ? read.config : {},
    queue: text(address.queue),
  };
}

export function draftAddress(draft: Draft): Record<string, string> {
  const address: Record<string, string> = {};
  if (draft.from !== null) address.from = draft.from;
  if (draft.recipe !== null) address.recipe = draft.recipe;
  if (draft.name !== "") address.name = draft.name;
  if (draft.model !== "") address.model = draft.model;
  if (draft.tags !== "") address.tags = draft.tags;
  if (Object.keys(draft.config).length > 0) address.config = JSON.stringify(draft.config);
  if (draft.queue !== "") address.queue = draft.queue;
  return address;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
