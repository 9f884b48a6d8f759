// The worker's words on data and machine are known in Chinese: each as the worker's own code writes it.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { recognise } from "./sentence-forms.ts";
import { findingInChinese, WORKER_ENGLISH, workerSentence } from "./worker-sentences.ts";

const WORKER = new URL("../../../worker/src/spotter_worker/", import.meta.url);

it("says a broken file, a wrong column and a full disk in Chinese, with the library's cause", () => {
  const said: [string, string][] = [
    [
      "cat/3.png: not an image that can be read (image file is truncated (4 bytes not processed))",
      "cat/3.png：不是可读取的图像（图像不完整，还有 4 字节未处理）。",
    ],
    [
      "no/9.wav: not a sound that can be read (it was cut off: 120 of 900 bytes are there)",
      "no/9.wav：不是可读取的录音（文件被截断：900 字节中只有 120 字节）。",
    ],
    [
      "/data/a.csv: row 3 has no 'label'; it has: text, class",
      "/data/a.csv：第 3 行没有 label 列；现有：text, class。",
    ],
    [
      "/data/a.csv: row 7 is not UTF-8 text (byte 81); save the file as UTF-8",
      "/data/a.csv：第 7 行不是 UTF-8（第 81 字节）；请将文件保存为 UTF-8。",
    ],
    ["/data/pets: the class 'cat' has no images", "/data/pets：类别“cat”中没有可用的文件。"],
    [
      "/data/pets: found 1 class; sorting needs at least two",
      "/data/pets：只找到 1 个类别；分类至少需要两个。",
    ],
    [
      "[Errno 28] the weights needs 12 MiB and 256 MiB to spare, 5 MiB are free: '/runs/3'",
      "磁盘空间不足：需要 12 MiB 并留出 256 MiB，目前空闲 5 MiB（'/runs/3'）。",
    ],
    [
      "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8 GiB",
      "显存不足：无法再分配 2.00 GiB。",
    ],
    [
      "[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 64 bytes. Error code 12 (Cannot allocate memory)",
      "内存不足：无法再分配 64 字节。",
    ],
  ];
  for (const [english, chinese] of said) {
    expect(workerSentence(english, "zh")).toBe(chinese);
    expect(workerSentence(english, "en")).toBe(english);
  }
  expect(workerSentence("Something quite new.", "zh")).toBe("Something quite new.");
  expect(findingInChinese("训练会立即失败：/x: all texts are empty")).toBe(
    "训练会立即失败：/x：所有文本都是空的。",
  );
  expect(findingInChinese("数据很好。")).toBe("数据很好。");
});

it("knows every sentence on rows and folders that the worker's readers of data have", () => {
  for (const file of ["class_folder", "labelled_texts", "table_rows", "text_corpus"]) {
    const source = readFileSync(new URL(`data/${file}.py`, WORKER), "utf8");
    const raised = [...source.matchAll(/raise ValueError\(\s*((?:f?"(?:[^"\\]|\\.)*"\s*)+)\)/g)];
    expect(raised.length).toBeGreaterThan(2);
    for (const [, written = ""] of raised) {
      const text = [...written.matchAll(/f?"((?:[^"\\]|\\.)*)"/g)].map(([, part]) => part).join("");
      const sentence = text
        .replaceAll("{place}", "x, row 3")
        .replace(/\{[^{}]*!r\}/g, "'x'")
        .replace(/\{[^{}]*\}/g, "x")
        .replace(/\\\\/g, "\\");
      if (UNCOMMON.some((words) => sentence.includes(words))) continue;
      expect([sentence, recognise(sentence, WORKER_ENGLISH) !== null]).toEqual([sentence, true]);
    }
  }
});
/** Seen so rarely that they stay in English. */
const UNCOMMON = [
  "escape is half a character",
  "expected a JSON list of rows",
  "no sound Parquet file",
  "expected a file of rows",
  "no JSON (x)",
];
