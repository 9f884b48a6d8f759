// The messages inside event files: Event, Summary, its values with their metadata, and tensors.
// Decodes them; what a value means as a scalar or a hyperparameter is decided elsewhere.
import { WireReader } from "./wire.ts";

export interface TfEvent {
  /** Unix seconds. */
  wallTime: number;
  step: number;
  /** Only on a file's first event, usually "brain.Event:2". */
  fileVersion: string | null;
  /** "start" says that a training restarts here: earlier points from this step on are void. */
  sessionLog: "start" | "other" | null;
  values: SummaryValue[];
}

export interface SummaryValue {
  tag: string;
  content: ValueContent;
  /** Written only on the first value of a tag in a file. */
  metadata: ValueMetadata | null;
}

type ValueContent =
  | { kind: "simple"; value: number }
  | { kind: "tensor"; tensor: Tensor }
  /** Of the old style; their bytes are not decoded. */
  | { kind: "image" | "histogram" | "audio" }
  | { kind: "none" };

export interface ValueMetadata {
  pluginName: string;
  pluginContent: Uint8Array;
  dataClass: "scalar" | "tensor" | "blob-sequence" | "unknown";
  displayName: string;
  description: string;
}

export interface Tensor {
  dtype: number;
  /** Sizes of the dimensions; empty for a single number. */
  shape: number[];
  /** Little-endian values, if the writer chose this form... */
  content: Uint8Array;
  /** ...or the numbers of whichever typed list it chose; half and bfloat16 stand here as bits. */
  numbers: number[];
  strings: Uint8Array[];
}

/** Throws a `WireError` if the bytes are not an Event. */
export function decodeEvent(data: Uint8Array): TfEvent {
  const event: TfEvent = { wallTime: 0, step: 0, fileVersion: null, sessionLog: null, values: [] };
  const reader = new WireReader(data);
  while (reader.next()) {
    if (reader.field === 1) event.wallTime = reader.double();
    else if (reader.field === 2) event.step = reader.integer();
    else if (reader.field === 3) event.fileVersion = reader.text();
    else if (reader.field === 5) decodeSummary(reader.message(), event.values);
    else if (reader.field === 7) event.sessionLog = decodeSessionLog(reader.message());
    else reader.skip();
  }
  return event;
}

function decodeSessionLog(reader: WireReader): "start" | "other" {
  let status = 0;
  while (reader.next()) {
    if (reader.field === 1) status = reader.integer();
    else reader.skip();
  }
  return status === 1 ? "start" : "other";
}

function decodeSummary(reader: WireReader, values: SummaryValue[]): void {
  while (reader.next()) {
    if (reader.field === 1) values.push(decodeValue(reader.message()));
    else reader.skip();
  }
}

function decodeValue(reader: WireReader): SummaryValue {
  const value: SummaryValue = { tag: "", content: { kind: "none" }, metadata: null };
  while (reader.next()) {
    if (reader.field === 1) value.tag = reader.text();
    else if (reader.field === 9) value.metadata = decodeMetadata(reader.message());
    else value.content = decodeContent(reader) ?? value.content;
  }
  return value;
}

function decodeContent(reader: WireReader): ValueContent | null {
  if (reader.field === 2) return { kind: "simple", value: reader.float() };
  if (reader.field === 8) return { kind: "tensor", tensor: decodeTensor(reader.message()) };
  const { field } = reader;
  reader.skip();
  if (field === 4) return { kind: "image" };
  if (field === 5) return { kind: "histogram" };
  return field === 6 ? { kind: "audio" } : null;
}

const dataClasses = ["unknown", "scalar", "tensor", "blob-sequence"] as const;

function decodeMetadata(reader: WireReader): ValueMetadata {
  const metadata: ValueMetadata = {
    pluginName: "",
    pluginContent: new Uint8Array(0),
    dataClass: "unknown",
    displayName: "",
    description: "",
  };
  while (reader.next()) {
    if (reader.field === 1) decodePluginData(reader.message(), metadata);
    else if (reader.field === 2) metadata.displayName = reader.text();
    else if (reader.field === 3) metadata.description = reader.text();
    else if (reader.field === 4) metadata.dataClass = dataClasses[reader.integer()] ?? "unknown";
    else reader.skip();
  }
  return metadata;
}

function decodePluginData(reader: WireReader, metadata: ValueMetadata): void {
  while (reader.next()) {
    if (reader.field === 1) metadata.pluginName = reader.text();
    else if (reader.field === 2) metadata.pluginContent = reader.bytes();
    else reader.skip();
  }
}

// half_val 13, float_val 5, double_val 6, int_val 7, int64_val 10, bool_val 11, uint32_val 16 and
// uint64_val 17: a tensor uses the one list that fits its dtype.
const integerLists = new Set([7, 10, 11, 13, 16, 17]);

function decodeTensor(reader: WireReader): Tensor {
  const tensor: Tensor = {
    dtype: 0,
    shape: [],
    content: new Uint8Array(0),
    numbers: [],
    strings: [],
  };
  while (reader.next()) {
    if (reader.field === 1) tensor.dtype = reader.integer();
    else if (reader.field === 2) decodeShape(reader.message(), tensor.shape);
    else if (reader.field === 4) tensor.content = reader.bytes();
    else if (reader.field === 5) reader.numbers("float", tensor.numbers);
    else if (reader.field === 6) reader.numbers("double", tensor.numbers);
    else if (reader.field === 8) tensor.strings.push(reader.bytes());
    else if (integerLists.has(reader.field)) reader.numbers("integer", tensor.numbers);
    else reader.skip();
  }
  return tensor;
}

function decodeShape(reader: WireReader, shape: number[]): void {
  while (reader.next()) {
    if (reader.field === 2) shape.push(decodeDimension(reader.message()));
    else reader.skip();
  }
}

function decodeDimension(reader: WireReader): number {
  let size = 0;
  while (reader.next()) {
    if (reader.field === 1) size = reader.integer();
    else reader.skip();
  }
  return size;
}
