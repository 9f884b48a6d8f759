// The queue's words in the terminal's language.
import { expect, it } from "vitest";
import { kindWord, reasonWords } from "./queue-words.ts";

it("says why a job waits in Chinese, with the number of the run", () => {
  const reason = "Waits for run 5 to end: one training runs at a time.";
  expect(reasonWords(reason, "zh")).toBe("等待训练 5 结束：一次只运行一个训练。");
  expect(reasonWords(reason, "en")).toBe(reason);
  expect(kindWord("preflight", "zh")).toBe("预检");
});

it("leaves a reason as it came that it does not know", () => {
  expect(reasonWords("Waits for the moon.", "zh")).toBe("Waits for the moon.");
  expect(reasonWords(null, "zh")).toBe("");
});
