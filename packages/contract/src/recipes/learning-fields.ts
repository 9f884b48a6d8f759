// The config fields by which a classifier goes on learning: replay of old data, elastic weights, a teacher, students
// that teach each other. None of them does anything until it is given.
import { z } from "zod";
import { OwnModelSource } from "../sources.ts";
import { field } from "./field.ts";

/** `dataSource`: what the recipe's own data may be; the old data may be the same. */
export function learningFields<S extends z.ZodType>(dataSource: S) {
  return {
    class_subset: classSubset(
      "data",
      "Only these classes",
      "只用这些类别",
      "Names of the classes to train on; the others are left out of the data. Empty: all.",
      "参与训练的类别名；其余类别从数据中剔除。留空：全部。",
    ),
    ...replayFields(dataSource),
    ...teacherFields(),
    ...mutualFields(),
  };
}

function replayFields<S extends z.ZodType>(dataSource: S) {
  return {
    old_data: field(
      dataSource.nullable().default(null),
      "learning",
      "Old data",
      "旧数据",
      "What the starting model learnt before: replayed beside the new data, and tested on before and after. It is split as that model's own run split it. Empty: none.",
      "起始模型以前学过的数据：与新数据混合重放，并在训练前后测试。按该模型当时的方式划分。留空：没有。",
    ),
    old_class_subset: classSubset(
      "learning",
      "Old classes",
      "旧类别",
      "Names of the classes of the old data that count; the others are left out. Empty: all.",
      "旧数据中参与的类别名；其余剔除。留空：全部。",
    ),
    replay_share: field(
      z.number().min(0).max(0.9).default(0.5),
      "learning",
      "Replay share",
      "重放比例",
      "Share of each batch that is drawn from the old data. 0: the old data is only tested on.",
      "每批中来自旧数据的比例。0 表示旧数据只用于测试。",
    ),
    replay_examples: field(
      z.number().int().min(1).max(100_000_000).nullable().default(null),
      "learning",
      "Replay at most",
      "最多重放",
      "So many old examples are kept for replay, the same number of every class, chosen by the seed. Empty: all.",
      "最多保留多少旧样本用于重放，各类别数量相同，由随机种子挑选。留空：全部。",
      { unit: "examples" },
    ),
    ewc_lambda: field(
      z.number().gt(0).max(1e9).nullable().default(null),
      "learning",
      "Elastic weights",
      "弹性权重",
      "Strength that holds each weight near its old value, by how much the old data needs it (EWC). Empty: off.",
      "按旧数据对每个权重的依赖程度把它拉向旧值的强度（EWC）。留空：关闭。",
      { advanced: true },
    ),
  };
}

function teacherFields() {
  return {
    distill_from: field(
      OwnModelSource.nullable().default(null),
      "learning",
      "Teacher",
      "教师模型",
      "A model whose answers are learnt beside the labels; the starting model itself, to forget less, or a larger one. Empty: none.",
      "除标签外，还学习该模型的输出：可以是起始模型自身（减少遗忘），或更大的模型。留空：没有。",
    ),
    distill_weight: field(
      z.number().gt(0).max(1000).default(1),
      "learning",
      "Teacher's weight",
      "教师权重",
      "How much the teacher's answers count beside the labels.",
      "教师输出相对标签的权重。",
    ),
    distill_temperature: field(
      z.number().min(0.1).max(100).default(2),
      "learning",
      "Temperature",
      "蒸馏温度",
      "Softens the teacher's answers: higher shows more of what it thinks of the wrong classes.",
      "软化教师的输出：越高越能体现其对错误类别的看法。",
      { advanced: true },
    ),
  };
}

function mutualFields() {
  return {
    mutual_students: field(
      z.number().int().min(2).max(16).nullable().default(null),
      "learning",
      "Students together",
      "互学模型数",
      "So many models learn at once, each also from the others' answers; the best is kept. Empty: one model alone.",
      "同时训练多少个模型，各自也向其他模型的输出学习；保留最好的一个。留空：只训练一个。",
    ),
    mutual_widths: field(
      z.array(z.number().int().min(4).max(2048)).max(16).default([]),
      "learning",
      "Students' widths",
      "互学模型宽度",
      "The width of each student, in their order. Empty: all have the width above.",
      "按顺序给出每个互学模型的宽度。留空：都用上面的宽度。",
      { advanced: true },
    ),
    mutual_weight: field(
      z.number().gt(0).max(1000).default(1),
      "learning",
      "Students' weight",
      "互学权重",
      "How much the others' answers count beside the labels.",
      "其他模型的输出相对标签的权重。",
      { advanced: true },
    ),
  };
}

function classSubset(
  section: "data" | "learning",
  title: string,
  titleZh: string,
  help: string,
  helpZh: string,
) {
  return field(
    z.array(z.string().min(1).max(200)).max(10_000).default([]),
    section,
    title,
    titleZh,
    help,
    helpZh,
    { advanced: true },
  );
}
