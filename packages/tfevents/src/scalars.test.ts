// Both scalar styles and every numeric type, and what is not taken as a scalar.
import { expect, test } from "vitest";
import type { SummaryValue, Tensor } from "./event.ts";
import { decodeEvent } from "./event.ts";
import { readValue, scalarOfTensor } from "./scalars.ts";
import { WireWriter } from "./wire.ts";

function tensor(fields: Partial<Tensor>): Tensor {
  return { dtype: 1, shape: [], content: new Uint8Array(0), numbers: [], strings: [], ...fields };
}

function contentOf(size: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return bytes;
}

const scalars = { pluginName: "scalars", dataClass: "scalar" } as const;
const unknownPlugin = { pluginName: "", dataClass: "unknown" } as const;

test.each([
  ["float", 1, contentOf(4, (view) => view.setFloat32(0, 0.5, true)), 0.5],
  ["double", 2, contentOf(8, (view) => view.setFloat64(0, 0.1, true)), 0.1],
  ["int32", 3, contentOf(4, (view) => view.setInt32(0, -7, true)), -7],
  ["uint8", 4, Uint8Array.of(200), 200],
  ["int16", 5, contentOf(2, (view) => view.setInt16(0, -300, true)), -300],
  ["int8", 6, Uint8Array.of(0xff), -1],
  ["int64", 9, contentOf(8, (view) => view.setBigInt64(0, -(2n ** 40n), true)), -(2 ** 40)],
  ["bool", 10, Uint8Array.of(1), 1],
  ["bfloat16", 14, Uint8Array.of(0x20, 0xc0), -2.5],
  ["uint16", 17, contentOf(2, (view) => view.setUint16(0, 60000, true)), 60000],
  ["half", 19, Uint8Array.of(0x00, 0x3e), 1.5],
  ["uint32", 22, contentOf(4, (view) => view.setUint32(0, 4e9, true)), 4e9],
  ["uint64", 23, contentOf(8, (view) => view.setBigUint64(0, 2n ** 63n, true)), 2 ** 63],
])("a rank-0 tensor of %s is read from its content", (_name, dtype, content, expected) => {
  expect(scalarOfTensor(tensor({ dtype, content }))).toBe(expected);
});

test.each([
  ["largest half", 19, 0x7bff, 65504],
  ["smallest half", 19, 0x0001, 2 ** -24],
  ["half infinity", 19, 0xfc00, Number.NEGATIVE_INFINITY],
  ["half not-a-number", 19, 0x7e00, Number.NaN],
  ["bfloat16 infinity", 14, 0x7f80, Number.POSITIVE_INFINITY],
  ["uint64 above half its range", 23, -1, 2 ** 64],
  ["int64", 9, -5, -5],
])("%s is read from the typed list", (_name, dtype, number, expected) => {
  expect(scalarOfTensor(tensor({ dtype, numbers: [number] }))).toBe(expected);
});

test.each([
  ["rank 1", { shape: [1], numbers: [1] }],
  ["two numbers", { numbers: [1, 2] }],
  ["no number", {}],
  ["content of the wrong size", { content: new Uint8Array(8) }],
  ["content and list at once", { content: new Uint8Array(4), numbers: [1] }],
  ["a string", { dtype: 7, strings: [new Uint8Array(1)] }],
])("a tensor of %s is no scalar, and under the scalars plugin it is malformed", (_name, fields) => {
  const value: SummaryValue = {
    tag: "loss",
    content: { kind: "tensor", tensor: tensor(fields) },
    metadata: null,
  };
  expect(scalarOfTensor(tensor(fields))).toBeNull();
  expect(readValue(value, scalars).kind).toBe("malformed");
  expect(readValue(value, unknownPlugin)).toEqual({ kind: "skipped", content: "tensors" });
});

test("a rank-0 tensor counts as scalar without metadata, but not under another plugin", () => {
  const content = { kind: "tensor", tensor: tensor({ numbers: [3] }) } as const;
  const value: SummaryValue = { tag: "loss", content, metadata: null };
  expect(readValue(value, null)).toEqual({ kind: "scalar", value: 3 });
  const plugin = { pluginName: "pr_curves", dataClass: "tensor" } as const;
  expect(readValue(value, plugin)).toEqual({ kind: "skipped", content: "pr_curves" });
});

test("typed lists are read packed and one at a time, and unknown fields are passed over", () => {
  const packed = new WireWriter().integer(1, 3).bytes(7, Uint8Array.of(5)).text(99, "new");
  const single = new WireWriter().integer(1, 9).integer(10, -2).double(98, 1);
  const summary = new WireWriter();
  for (const message of [packed, single]) {
    summary.message(1, new WireWriter().text(1, "n").message(8, message));
  }
  const { values } = decodeEvent(new WireWriter().message(5, summary).finish());
  expect(values.map((value) => readValue(value, null))).toEqual([
    { kind: "scalar", value: 5 },
    { kind: "scalar", value: -2 },
  ]);
});
