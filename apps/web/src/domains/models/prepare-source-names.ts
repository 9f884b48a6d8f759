// Which sources of a config name something by its number. Pure.

const KINDS = ["model_version", "dataset_version"] as const;

export interface NumberedSource {
  readonly kind: (typeof KINDS)[number];
  readonly id: number;
  /** One text for kind and number. */
  readonly key: string;
}

/** @example numberedSource({ model_version: 7 }) // { kind: "model_version", id: 7, key: "model_version 7" } */
export function numberedSource(value: unknown): NumberedSource | null {
  if (typeof value !== "object" || value === null) return null;
  for (const kind of KINDS) {
    const id = (value as { [key: string]: unknown })[kind];
    if (typeof id === "number") return { kind, id, key: `${kind} ${id}` };
  }
  return null;
}

/** A row of a flattened config back into the source it is of: `init_from.model_version`, `7`. */
export function sourceOfRow(key: string, value: string | null): unknown {
  const kind = key.split(".").at(-1) ?? "";
  return value === null || value === "" ? null : { [kind]: Number(value) };
}
