// What a summary value is worth: a scalar (both styles, every numeric type), a hyperparameter
// payload, or content that Spotter does not take from event files, which is named so that it can be
// counted and not silently lost.
import type { SummaryValue, Tensor, ValueMetadata } from "./event.ts";

/** What of a tag's metadata decides how its later values are read. */
export type TagMetadata = Pick<ValueMetadata, "pluginName" | "dataClass">;

export type Reading =
  | { kind: "scalar"; value: number }
  | { kind: "hparams"; payload: Uint8Array }
  /** Something else: "histograms", "images", "audio", "text", or the name of its plugin. */
  | { kind: "skipped"; content: string }
  | { kind: "malformed"; message: string };

/** One scalar point of one event. */
export interface ScalarPoint {
  tag: string;
  step: number;
  wallTime: number;
  value: number;
}

/**
 * Reads one value. `metadata` is what was remembered for its tag in this run, since writers send
 * metadata with the first value only.
 */
export function readValue(value: SummaryValue, metadata: TagMetadata | null): Reading {
  const known = value.metadata ?? metadata;
  if (value.metadata && known?.pluginName === "hparams") {
    return { kind: "hparams", payload: value.metadata.pluginContent };
  }
  if (value.content.kind === "simple") return { kind: "scalar", value: value.content.value };
  if (value.content.kind === "tensor") return readTensor(value.content.tensor, known);
  return { kind: "skipped", content: contentNames[value.content.kind] };
}

const contentNames = {
  image: "images",
  histogram: "histograms",
  audio: "audio",
  none: "empty values",
} as const;

const pluginNames = new Map([
  ["histograms", "histograms"],
  ["images", "images"],
  ["audio", "audio"],
  ["text", "text"],
]);

function readTensor(tensor: Tensor, metadata: TagMetadata | null): Reading {
  if (!isScalarClass(tensor, metadata)) {
    const plugin = metadata?.pluginName;
    const content = plugin ? (pluginNames.get(plugin) ?? plugin) : "tensors";
    return { kind: "skipped", content };
  }
  const value = scalarOfTensor(tensor);
  if (value !== null) return { kind: "scalar", value };
  const shape = `[${tensor.shape.join(", ")}]`;
  const message = `a scalar tensor of type ${tensor.dtype} and shape ${shape} is not one number`;
  return { kind: "malformed", message };
}

// Without metadata a tensor counts as scalar if it looks like one: resuming in the middle of a file
// must not lose points because the metadata was sent before.
function isScalarClass(tensor: Tensor, metadata: TagMetadata | null): boolean {
  if (metadata?.dataClass === "scalar" || metadata?.pluginName === "scalars") return true;
  if (metadata?.pluginName || (metadata && metadata.dataClass !== "unknown")) return false;
  return scalarOfTensor(tensor) !== null;
}

/** The number of a rank-0 numeric tensor; null for every other tensor. */
export function scalarOfTensor(tensor: Tensor): number | null {
  if (tensor.shape.length > 0 || tensor.strings.length > 0) return null;
  const type = numericTypes.get(tensor.dtype);
  if (!type) return null;
  if (tensor.content.length > 0) {
    if (tensor.content.length !== type.size || tensor.numbers.length > 0) return null;
    const { buffer, byteOffset, byteLength } = tensor.content;
    return type.read(new DataView(buffer, byteOffset, byteLength));
  }
  const [number] = tensor.numbers;
  if (number === undefined || tensor.numbers.length !== 1) return null;
  return type.fromList ? type.fromList(number) : number;
}

interface NumericType {
  size: number;
  read(view: DataView): number;
  /** Where the number in the typed list is not yet the value. */
  fromList?: (number: number) => number;
}

/** By the numbers of TensorFlow's DataType. */
const numericTypes = new Map<number, NumericType>([
  [1, { size: 4, read: (view) => view.getFloat32(0, true) }],
  [2, { size: 8, read: (view) => view.getFloat64(0, true) }],
  [3, { size: 4, read: (view) => view.getInt32(0, true) }],
  [4, { size: 1, read: (view) => view.getUint8(0) }],
  [5, { size: 2, read: (view) => view.getInt16(0, true) }],
  [6, { size: 1, read: (view) => view.getInt8(0) }],
  [9, { size: 8, read: (view) => Number(view.getBigInt64(0, true)) }],
  [10, { size: 1, read: (view) => view.getUint8(0) }],
  [14, { size: 2, read: (view) => bfloat16(view.getUint16(0, true)), fromList: bfloat16 }],
  [17, { size: 2, read: (view) => view.getUint16(0, true) }],
  [19, { size: 2, read: (view) => float16(view.getUint16(0, true)), fromList: float16 }],
  [22, { size: 4, read: (view) => view.getUint32(0, true) }],
  [23, { size: 8, read: (view) => Number(view.getBigUint64(0, true)), fromList: unsigned64 }],
]);

/** bfloat16 is the upper half of a float32. */
function bfloat16(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

// The wire has no unsigned numbers: the upper half of their range arrives negative.
function unsigned64(number: number): number {
  return number < 0 ? number + 2 ** 64 : number;
}
