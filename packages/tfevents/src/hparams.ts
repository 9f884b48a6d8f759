// The hyperparameter payloads that TensorBoard's hparams plugin hides in the metadata of three tags:
// the experiment's columns, the start of a session with its values, and its end with a status.
import { WireError, WireReader } from "./wire.ts";

export const hparamsTags = {
  experiment: "_hparams_/experiment",
  sessionStart: "_hparams_/session_start_info",
  sessionEnd: "_hparams_/session_end_info",
} as const;

export type HyperparameterValue =
  | number
  | string
  | boolean
  | null
  | HyperparameterValue[]
  | { [key: string]: HyperparameterValue };

export type SessionStatus = "unknown" | "success" | "failure" | "running";

export interface Experiment {
  hyperparameters: { name: string; type: "unset" | "string" | "bool" | "float" }[];
  metrics: { group: string; tag: string }[];
}

export interface SessionStart {
  hyperparameters: Record<string, HyperparameterValue>;
  groupName: string | null;
  /** Unix seconds; null if the writer left it out. */
  startTime: number | null;
}

export interface SessionEnd {
  status: SessionStatus;
  endTime: number | null;
}

export type HparamsPayload =
  | { kind: "experiment"; experiment: Experiment }
  | { kind: "session-start"; start: SessionStart }
  | { kind: "session-end"; end: SessionEnd }
  /** A payload of a later version of the plugin. */
  | { kind: "unknown" };

/** Throws a `WireError` if the bytes are not an HParamsPluginData. */
export function decodeHparams(content: Uint8Array): HparamsPayload {
  let payload: HparamsPayload = { kind: "unknown" };
  const reader = new WireReader(content);
  while (reader.next()) {
    if (reader.field === 2) {
      payload = { kind: "experiment", experiment: decodeExperiment(reader.message()) };
    } else if (reader.field === 3) {
      payload = { kind: "session-start", start: decodeSessionStart(reader.message()) };
    } else if (reader.field === 4) {
      payload = { kind: "session-end", end: decodeSessionEnd(reader.message()) };
    } else {
      reader.skip();
    }
  }
  return payload;
}

function decodeExperiment(reader: WireReader): Experiment {
  const experiment: Experiment = { hyperparameters: [], metrics: [] };
  while (reader.next()) {
    if (reader.field === 4) experiment.hyperparameters.push(decodeColumn(reader.message()));
    else if (reader.field === 5) experiment.metrics.push(decodeMetric(reader.message()));
    else reader.skip();
  }
  return experiment;
}

const columnTypes = ["unset", "string", "bool", "float"] as const;

function decodeColumn(reader: WireReader): Experiment["hyperparameters"][number] {
  const column: Experiment["hyperparameters"][number] = { name: "", type: "unset" };
  while (reader.next()) {
    if (reader.field === 1) column.name = reader.text();
    else if (reader.field === 4) column.type = columnTypes[reader.integer()] ?? "unset";
    else reader.skip();
  }
  return column;
}

function decodeMetric(reader: WireReader): Experiment["metrics"][number] {
  const metric = { group: "", tag: "" };
  while (reader.next()) {
    if (reader.field === 1) decodeMetricName(reader.message(), metric);
    else reader.skip();
  }
  return metric;
}

function decodeMetricName(reader: WireReader, metric: { group: string; tag: string }): void {
  while (reader.next()) {
    if (reader.field === 1) metric.group = reader.text();
    else if (reader.field === 2) metric.tag = reader.text();
    else reader.skip();
  }
}

function decodeSessionStart(reader: WireReader): SessionStart {
  const entries: [string, HyperparameterValue][] = [];
  const start: SessionStart = { hyperparameters: {}, groupName: null, startTime: null };
  while (reader.next()) {
    if (reader.field === 1) entries.push(decodeEntry(reader.message(), maxDepth));
    else if (reader.field === 4) start.groupName = reader.text() || null;
    else if (reader.field === 5) start.startTime = reader.double();
    else reader.skip();
  }
  start.hyperparameters = Object.fromEntries(entries);
  return start;
}

const statuses = ["unknown", "success", "failure", "running"] as const;

function decodeSessionEnd(reader: WireReader): SessionEnd {
  const end: SessionEnd = { status: "unknown", endTime: null };
  while (reader.next()) {
    if (reader.field === 1) end.status = statuses[reader.integer()] ?? "unknown";
    else if (reader.field === 2) end.endTime = reader.double();
    else reader.skip();
  }
  return end;
}

// As deep as protobuf itself allows; without a limit a crafted file could exhaust the stack.
const maxDepth = 100;

function decodeEntry(reader: WireReader, depth: number): [string, HyperparameterValue] {
  let name = "";
  let value: HyperparameterValue = null;
  while (reader.next()) {
    if (reader.field === 1) name = reader.text();
    else if (reader.field === 2) value = decodeAny(reader.message(), depth - 1);
    else reader.skip();
  }
  return [name, value];
}

/** google.protobuf.Value. */
function decodeAny(reader: WireReader, depth: number): HyperparameterValue {
  if (depth <= 0) throw new WireError(`a hyperparameter is nested deeper than ${maxDepth}`);
  let value: HyperparameterValue = null;
  while (reader.next()) {
    if (reader.field === 2) value = reader.double();
    else if (reader.field === 3) value = reader.text();
    else if (reader.field === 4) value = reader.integer() !== 0;
    else if (reader.field === 5) value = decodeStruct(reader.message(), depth);
    else if (reader.field === 6) value = decodeList(reader.message(), depth);
    else reader.skip();
  }
  return value;
}

function decodeStruct(reader: WireReader, depth: number): HyperparameterValue {
  const entries: [string, HyperparameterValue][] = [];
  while (reader.next()) {
    if (reader.field === 1) entries.push(decodeEntry(reader.message(), depth));
    else reader.skip();
  }
  return Object.fromEntries(entries);
}

function decodeList(reader: WireReader, depth: number): HyperparameterValue {
  const values: HyperparameterValue[] = [];
  while (reader.next()) {
    if (reader.field === 1) values.push(decodeAny(reader.message(), depth - 1));
    else reader.skip();
  }
  return values;
}
