// Sentences of server and worker are recognised, and said in Chinese with what varies filled in.
import { readFileSync } from "node:fs";
import { issueWords, recognise } from "@spotter/contract";
import { expect, it } from "vitest";
import { createI18n } from "vue-i18n";
import { z } from "zod";
import { messagesOf } from "./i18n.ts";
import { sayInLanguage, sayIssue, type Words } from "./say-in-language.ts";
import { ISSUES, SENTENCES } from "./server-sentences.ts";

const { t, te } = createI18n({
  legacy: false,
  locale: "zh",
  messages: { zh: messagesOf("zh") },
}).global;
const zh: Words = { t: (key, values) => t(key, values ?? {}), te: (key) => te(key), locale: "zh" };

it("says why a run waits, in Chinese", () => {
  expect(sayInLanguage("Waits for run 12 to end: one training runs at a time.", zh)).toBe(
    "等待训练 12 结束：一次只运行一个训练。",
  );
});

it("says what a run needs, who holds it, and how an attempt was lost, in Chinese", () => {
  expect(sayInLanguage("Needs 2 CPU cores; run 12 holds them.", zh)).toBe(
    "需要 2 个 CPU 核，由训练 12 占用。",
  );
  expect(sayInLanguage("Needs 1 GPU; runs 1, 2, 3 and 4 more hold it.", zh)).toBe(
    "需要 1 个 GPU，由训练 1, 2, 3 (+4) 占用。",
  );
  expect(
    sayInLanguage(
      "Attempt 1 of 3 was lost and is made good from the last checkpoint: the worker was ended by SIGKILL",
      zh,
    ),
  ).toBe("共 3 次尝试中的第 1 次中断，将从最后的检查点重试：训练进程被 SIGKILL 终止");
  expect(
    sayInLanguage(
      "Run 4 is normal and cannot stand before run 2, which is high; change its priority.",
      zh,
    ),
  ).toBe("训练 4 的优先级为“普通”，不能排在“高”的训练 2 之前；请更改其优先级。");
});

it("puts our own words for states, roles and actions", () => {
  expect(sayInLanguage("Run 7 has ended (stopped).", zh)).toBe("训练 7 已结束（已停止）。");
  expect(sayInLanguage("This needs the role member in the project; you are viewer.", zh)).toBe(
    "此操作需要项目角色“成员”；你是“访客”。",
  );
});

it("leaves a sentence that it does not know to the page, and English as it is", () => {
  expect(sayInLanguage("Something quite new.", zh)).toBeNull();
  expect(sayInLanguage("Something quite new.", { ...zh, locale: "en" })).toBe(
    "Something quite new.",
  );
});

it("takes the most telling row where several would fit", () => {
  expect(recognise("The worker could not be started.", SENTENCES)?.key).toBe("startFailed");
  expect(recognise("The worker could not be started: no space", SENTENCES)).toEqual({
    key: "startFailedBecause",
    values: { cause: "no space" },
  });
  expect(
    recognise("This needs the role admin in the project; you are not in this project.", SENTENCES)
      ?.key,
  ).toBe("roleAndNotIn");
});

it("knows how an attempt can end: the sentences that the queue has for that", () => {
  const endings = readFileSync(
    new URL("../../../server/src/domains/queue/endings.ts", import.meta.url),
    "utf8",
  );
  const said = [...endings.matchAll(/["`](The worker[^"`]*|Supervisor[^"`]*|The time[^"`]*)["`]/g)];
  expect(said.length).toBeGreaterThan(5);
  for (const [, sentence = ""] of said)
    expect([
      sentence,
      recognise(sentence.replace(/\$\{[^}]*\}/g, "x"), SENTENCES) !== null,
    ]).toEqual([sentence, true]);
});

it("writes steps as the rest of the page does, in both languages", () => {
  const { t: inEnglish, te: isThere } = createI18n({
    legacy: false,
    locale: "en",
    messages: { en: messagesOf("en") },
  }).global;
  const en: Words = {
    t: (key, values) => inEnglish(key, values ?? {}),
    te: (key) => isThere(key),
    locale: "en",
  };
  const gone = "Run 12 has no checkpoint of step 1200; it has those of the steps 1400, 12800.";
  expect(sayInLanguage(gone, en)).toBe(
    "Run 12 has no checkpoint of step 1,200; it has those of the steps 1,400, 12,800.",
  );
  expect(sayInLanguage(gone, zh)).toContain("1,400, 12,800");
  const lost = "Crashed three times at about step 1200, so it is not tried again: out of words";
  expect(sayInLanguage(lost, en)).toBe(lost.replace("1200", "1,200"));
  expect(sayInLanguage("A sentence of our own about step 1200.", en)).toBe(
    "A sentence of our own about step 1200.",
  );
});

it("says in Chinese how a person's own program ended, its own line untouched", () => {
  expect(sayInLanguage("bash ended with exit code 3: no such file", zh)).toBe(
    "bash 以退出码 3 结束：no such file",
  );
  expect(sayInLanguage("train.py ended with SIGKILL", zh)).toBe("train.py 被 SIGKILL 结束");
});

it("says every kind of wrong field in Chinese: what the server says of each", () => {
  const schemas: [z.ZodType, unknown][] = [
    [z.string(), undefined],
    [z.number(), "fast"],
    [z.number().min(3), 1],
    [z.number().gt(3), 3],
    [z.number().max(3), 4],
    [z.number().lt(3), 3],
    [z.string().min(2), "a"],
    [z.string().max(2), "abc"],
    [z.array(z.string()).max(1), ["a", "b"]],
    [z.enum(["a", "b"]), "c"],
    [z.literal("a"), "b"],
    [z.string().regex(/^a$/), "b"],
    [z.object({}).strict(), { typo: 1 }],
    [z.object({}).strict(), { typo: 1, other: 2 }],
    [z.union([z.string(), z.number()]), true],
  ];
  for (const [schema, value] of schemas) {
    const message = issueWords(schema.safeParse(value).error?.issues[0] ?? { message: "" });
    expect([message, /^[^a-z]*[\u4e00-\u9fff]/.test(sayIssue(message, zh))]).toEqual([
      message,
      true,
    ]);
  }
  expect(sayIssue("must be at most 0.5", zh)).toBe("不能大于 0.5。");
  expect(sayIssue("there is no field of this name; did you mean epochs?", zh)).toBe(
    "没有这个字段；是否想写 epochs？",
  );
  expect(sayIssue("a message of our own", zh)).toBe("a message of our own");
});

it("says in Chinese why data, classes, widths and a starting model do not fit", () => {
  const said: [string, string][] = [
    [
      "the dataset Pets v1 holds images; text-lm learns from texts",
      "数据集 Pets v1 的内容是图像；text-lm 需要文本。",
    ],
    [
      "Tales v1 holds .csv (2); text-lm learns from .txt, .jsonl, .md, .ndjson",
      "Tales v1 含 .csv (2)；text-lm 需要 .txt, .jsonl, .md, .ndjson。",
    ],
    [
      "a.csv of Tales v1 has the columns review, stars; text-classify needs text, label: rename them, or name yours in text_column, label_column",
      "Tales v1 的 a.csv 含列 review, stars；text-classify 需要 text, label：请改列名，或在 text_column, label_column 中填写你的列名。",
    ],
    [
      "Pets v1 holds .png (3) and no questions.jsonl; concept learns from a folder with images and questions.jsonl (image, question, answer)",
      "Pets v1 含 .png (3)，但没有 questions.jsonl；concept 需要同时含有图像与 questions.jsonl（image, question, answer）的目录。",
    ],
    [
      "is 32, and the starting model pets v2 has 16; set it to 16",
      "当前为 32，而起始模型 pets v2 为 16；请设为 16。",
    ],
    [
      "is 100; with 3 heads it must be a multiple of 6, such as 102",
      "当前为 100；有 3 个注意力头时须为 6 的倍数，例如 102。",
    ],
    [
      "names rose, and Pets v1 has no such class; it has a, b",
      "写了 rose，但 Pets v1 没有这样的类别；现有：a, b。",
    ],
  ];
  for (const [message, chinese] of said) expect(sayIssue(message, zh)).toBe(chinese);
});

it("has Chinese words for every row, with the same places", () => {
  const server = messagesOf("zh").server as Record<string, Record<string, string>>;
  expect(Object.keys(server.sentences ?? {}).sort()).toEqual(Object.keys(SENTENCES).sort());
  expect(Object.keys(server.issues ?? {}).sort()).toEqual(Object.keys(ISSUES).sort());
});
