// `--config file.json` and `--set key=value` put together into a run's config. Pure but for reading the file.
import type { JsonObject } from "@spotter/contract";
import type { z } from "zod";
import { UsageProblem } from "./exit-codes.ts";
import { readGivenFile } from "./given-paths.ts";

type Config = z.infer<typeof JsonObject>;

/** @throws UsageProblem */
export function readConfig(file: string | undefined, settings: readonly string[]): Config {
  return applySettings(file === undefined ? {} : readFile(file), settings);
}

/**
 * Values are JSON where they can be, text else; dots go deeper.
 * @example applySettings({}, ["epochs=5", "model=cnn", "data.path=/data"])
 */
export function applySettings(config: Config, settings: readonly string[]): Config {
  const result = structuredClone(config);
  for (const setting of settings) {
    const at = setting.indexOf("=");
    if (at < 1) throw new UsageProblem(`--set wants key=value, not "${setting}".`);
    const keys = setting.slice(0, at).split(".");
    put(result, keys, parseValue(setting.slice(at + 1)));
  }
  return result;
}

function put(target: Config, keys: readonly string[], value: Config[string]): void {
  const [key, ...deeper] = keys;
  if (key === undefined || key === "" || key === "__proto__")
    throw new UsageProblem(`"${keys.join(".")}" is no name of a setting.`);
  if (deeper.length === 0) {
    target[key] = value;
    return;
  }
  const inner = target[key];
  const next = typeof inner === "object" && inner !== null && !Array.isArray(inner) ? inner : {};
  target[key] = next;
  put(next, deeper, value);
}

function parseValue(text: string): Config[string] {
  try {
    return JSON.parse(text) as Config[string];
  } catch {
    return text;
  }
}

function readFile(file: string): Config {
  const value = parseValue(readGivenFile(file).toString("utf8"));
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new UsageProblem(`${file} must hold one JSON object.`);
}
