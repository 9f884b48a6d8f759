// The contract's door: every schema, endpoint, error code and event that crosses the wire.

export * from "./auth.ts";
export * from "./compat.ts";
export * from "./datasets.ts";
export * from "./endpoint.ts";
export * from "./errors.ts";
export * from "./metrics.ts";
export * from "./model-endpoints.ts";
export * from "./models.ts";
export * from "./projects.ts";
export * from "./queue.ts";
export * from "./recipes/audio.ts";
export * from "./recipes/classifier-fields.ts";
export * from "./recipes/concept.ts";
export * from "./recipes/field.ts";
export * from "./recipes/loop-fields.ts";
export * from "./recipes/recipes.ts";
export * from "./recipes/text-classify.ts";
export * from "./recipes/vision.ts";
export * from "./run-endpoints.ts";
export * from "./runs.ts";
export * from "./scalars.ts";
export * from "./sources.ts";
export * from "./stream.ts";
export * from "./system.ts";
export * from "./tensorboard.ts";
export * from "./worker.ts";
