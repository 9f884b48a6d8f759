// The queue's words in the terminal's language.
import { expect, it } from "vitest";
import { kindWord, reasonWords } from "./queue-words.ts";

it("says why a job waits in Chinese, with the number of the run", () => {
  const reason = "Waits for run 5 to end: one training runs at a time.";
  expect(reasonWords(reason, "zh")).toBe("等待训练 5 结束：一次只运行一个训练。");
  expect(reasonWords(reason, "en")).toBe(reason);
  expect(kindWord("preflight", "zh")).toBe("预检");
});

it("says in Chinese what a run needs and who holds it", () => {
  expect(reasonWords("Needs 2 CPU cores; run 12 holds them.", "zh")).toBe(
    "需要 2 个 CPU 核，由训练 12 占用。",
  );
  expect(reasonWords("Needs 1 GPU; runs 1, 2, 3 and 2 more hold it.", "zh")).toBe(
    "需要 1 个 GPU，由训练 1, 2, 3 等占用。",
  );
  expect(reasonWords("Needs 9 GPUs; this machine has none.", "zh")).toBe(
    "需要 9 个 GPU，而本机只有 0。",
  );
});

it("leaves a reason as it came that it does not know", () => {
  expect(reasonWords("Waits for the moon.", "zh")).toBe("Waits for the moon.");
  expect(reasonWords(null, "zh")).toBe("");
});
