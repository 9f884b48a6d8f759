// What the worker says of data that it cannot use and of a machine that is too small: its English sentences, and the
// Chinese of each. The page and the command line say the same; a sentence that is new to this table stays as it came.

import { fillIn, recognise } from "./sentence-forms.ts";
import type { WordsLanguage } from "./words-language.ts";

/** Key → English with `{places}` for what varies, and the Chinese; the first row that fits counts.
 * Places that begin with `_` are what a library says besides, and are not said again. */
const ROWS = {
  imageBroken: [
    "{file}: not an image that can be read ({cause})",
    "{file}：不是可读取的图像（{cause}）。",
  ],
  soundBroken: [
    "{file}: not a sound that can be read ({cause})",
    "{file}：不是可读取的录音（{cause}）。",
  ],
  imageUnknown: ["cannot identify image file", "无法识别其图像格式"],
  imageTruncated: [
    "image file is truncated ({count} bytes not processed)",
    "图像不完整，还有 {count} 字节未处理",
  ],
  imageTruncatedPlain: ["image file is truncated", "图像不完整"],
  imageStream: ["broken data stream when reading image file", "图像数据已损坏"],
  soundEmpty: ["it has no samples", "其中没有采样"],
  soundShort: ["it ends after {there} of {wanted} samples", "{wanted} 个采样中只有 {there} 个"],
  soundNotNumbers: ["it holds samples that are no numbers", "含有不是数字的采样"],
  soundCut: [
    "it was cut off: {there} of {bytes} bytes are there",
    "文件被截断：{bytes} 字节中只有 {there} 字节",
  ],
  soundUnknown: ["Format not recognised", "无法识别其音频格式"],

  noSubFolders: [
    "{place}: no sub-folders; expected one folder of {_noun} a class",
    "{place}：没有子文件夹；应为每类一个文件夹。",
  ],
  classEmpty: [
    "{place}: the class '{name}' has no {_noun}",
    "{place}：类别“{name}”中没有可用的文件。",
  ],
  oneClassFound: [
    "{place}: found {count} class; sorting needs at least two",
    "{place}：只找到 {count} 个类别；分类至少需要两个。",
  ],
  oneClassLeft: [
    "there is one class, '{name}'; sorting needs at least two",
    "只有一个类别“{name}”；分类至少需要两个。",
  ],
  classUnknown: [
    "{field} names '{name}', which is no class of the data; its classes are: {found}",
    "{field} 写了“{name}”，但数据没有这个类别；现有：{found}。",
  ],
  labelGap: [
    "{file}: row {row} has the label {label}, but no row has the label {missing}",
    "{file}：第 {row} 行的标签是 {label}，但没有任何一行的标签是 {missing}。",
  ],
  partEmpty: [
    "{count} {_noun} are too few: the {part} part would be empty",
    "样本太少（{count}）：{part} 部分会是空的。",
  ],
  noPlace: [
    "{place}: there is no such file or folder on this machine",
    "{place}：本机没有这个文件或目录。",
  ],
  noFolder: ["{place}: there is no such folder on this machine", "{place}：本机没有这个目录。"],

  rowNotUtf8: [
    "{file}: row {row} is not UTF-8 text (byte {byte}); save the file as UTF-8",
    "{file}：第 {row} 行不是 UTF-8（第 {byte} 字节）；请将文件保存为 UTF-8。",
  ],
  tableNotUtf8: [
    "{file}, row {row}: not UTF-8; save the file as UTF-8",
    "{file} 第 {row} 行不是 UTF-8；请将文件保存为 UTF-8。",
  ],
  textNotUtf8At: [
    "{file} is not UTF-8: the byte at offset {byte} fits no character; convert the file to UTF-8",
    "{file} 不是 UTF-8：第 {byte} 字节不属于任何字符；请将文件转换为 UTF-8。",
  ],
  questionNotUtf8: [
    "{place}: not text in UTF-8 ({cause})",
    "{place}：不是 UTF-8 文本（{cause}）。",
  ],
  noTextInFile: ["{file}: there is no text in it", "{file}：其中没有文本。"],
  noRows: ["{file}: there are no rows in it", "{file}：其中没有任何一行数据。"],
  allTextsEmpty: ["{place}: all texts are empty", "{place}：所有文本都是空的。"],
  noTextFile: [
    "{place}: there is no file with text ({wanted}) on this machine",
    "{place}：其中没有文本文件（{wanted}）。",
  ],
  noRowFile: [
    "{place}: there is no file of rows in it ({wanted})",
    "{place}：其中没有数据表文件（{wanted}）。",
  ],
  notATable: [
    "{file}: expected a .csv, .tsv or .jsonl file, or a folder",
    "{file}：应为 .csv、.tsv 或 .jsonl 文件，或目录。",
  ],
  columnMissing: [
    "{file}: row {row} has no '{column}'; it has: {found}",
    "{file}：第 {row} 行没有 {column} 列；现有：{found}。",
  ],
  textMissing: [
    "{file}: row {row} has no text in '{column}'",
    "{file}：第 {row} 行的 {column} 列没有文本。",
  ],
  classMissing: [
    "{file}: row {row} has no class in '{column}'",
    "{file}：第 {row} 行的 {column} 列没有类别。",
  ],
  fieldMissing: [
    "{file}, row {row}: no text in the field '{column}'; there is: {found}",
    "{file} 第 {row} 行的字段 {column} 没有文本；现有：{found}。",
  ],
  columnEmpty: [
    "{file}, row {row}: no text in the column '{column}', but {value}; the columns are {found}",
    "{file} 第 {row} 行的 {column} 列不是文本，而是 {value}；列名为 {found}。",
  ],
  noAnswer: [
    "{file}, row {row}: no message of the assistant, so there is nothing to learn from it",
    "{file} 第 {row} 行没有 assistant 的消息，无可学习。",
  ],
  tooManyFields: [
    "{file}: row {row} has more fields than the first row has names; put texts with commas in quotes",
    "{file}：第 {row} 行的字段多于首行的列名；请给含逗号的文本加引号。",
  ],
  tooManyFieldsIn: [
    "{file}, row {row}: more fields than the first row has names; put texts with commas in quotes",
    "{file} 第 {row} 行的字段多于首行的列名；请给含逗号的文本加引号。",
  ],
  notCsv: ["{file}: row {row} is no CSV ({cause})", "{file}：第 {row} 行不是 CSV（{cause}）。"],
  notCsvIn: ["{file}, row {row}: no CSV ({cause})", "{file} 第 {row} 行不是 CSV（{cause}）。"],
  rowNotJson: [
    "{file}: row {row} is no JSON ({cause})",
    "{file}：第 {row} 行不是 JSON（{cause}）。",
  ],
  rowNotJsonIn: [
    "{file}, row {row}: no JSON ({cause})",
    "{file} 第 {row} 行不是 JSON（{cause}）。",
  ],
  questionNotJson: [
    "{file}, row {row}: not JSON ({cause})",
    "{file} 第 {row} 行不是 JSON（{cause}）。",
  ],
  rowNotObject: [
    "{file}: row {row} is no JSON object with names and values",
    "{file}：第 {row} 行不是带有名称和值的 JSON 对象。",
  ],
  rowNotObjectIn: [
    "{file}, row {row}: no JSON object with names and values",
    "{file} 第 {row} 行不是带有名称和值的 JSON 对象。",
  ],
  partTooShort: [
    "the {part} part has {count} tokens; it needs more than the context, {context}: give more text or a smaller context",
    "{part} 部分只有 {count} 个词元，须多于上下文长度 {context}：请提供更多文本或缩短上下文。",
  ],
  noQuestions: [
    "{place}: holds no questions.jsonl; expected it beside the images",
    "{place}：没有 questions.jsonl；应与图像放在一起。",
  ],
  questionColumn: [
    "{file}, row {row}: '{column}' is missing; the row has {found}",
    "{file} 第 {row} 行缺少 {column}；现有：{found}。",
  ],
  questionImage: [
    "{file}, row {row}: there is no image '{name}' in the folder",
    "{file} 第 {row} 行：目录中没有图像 {name}。",
  ],
  oneAnswer: [
    "{file}: all answers are '{name}'; needs two kinds",
    "{file}：所有答案都是“{name}”；至少需要两种。",
  ],

  diskNeeds: [
    "[Errno {_number}] {_what} needs {size} MiB and {spare} MiB to spare, {free} MiB are free: {place}",
    "磁盘空间不足：需要 {size} MiB 并留出 {spare} MiB，目前空闲 {free} MiB（{place}）。",
  ],
  diskBecameFull: [
    "[Errno {_number}] the disk became full while {_what} was written: {place}",
    "写入时磁盘已满（{place}）。",
  ],
  diskFullAt: ["[Errno {_number}] No space left on device: {place}", "磁盘已满（{place}）。"],
  diskFull: ["[Errno {_number}] No space left on device", "磁盘已满。"],
  quotaFullAt: ["[Errno {_number}] Disk quota exceeded: {place}", "已超出磁盘配额（{place}）。"],
  quotaFull: ["[Errno {_number}] Disk quota exceeded", "已超出磁盘配额。"],
  gpuMemory: [
    "CUDA out of memory. Tried to allocate {amount}. {_more}",
    "显存不足：无法再分配 {amount}。",
  ],
  cpuMemory: [
    "{_where}DefaultCPUAllocator: can't allocate memory: you tried to allocate {bytes} bytes.{_more}",
    "内存不足：无法再分配 {bytes} 字节。",
  ],
  arrayMemory: [
    "Unable to allocate {amount} for an array with shape {shape} and data type {_type}",
    "内存不足：无法为形状为 {shape} 的数组分配 {amount}。",
  ],
  memory: ["MemoryError", "内存不足。"],

  hintDiskFull: [
    "Free some disk space, then resume the run, or begin it anew if it has saved no checkpoint.",
    "请释放磁盘空间，然后恢复训练；若没有保存过检查点，请重新开始。",
  ],
  hintInvalid: [
    "Correct the data or the configuration, then start a new run.",
    "请修正数据或配置，然后新建训练。",
  ],
  hintHalve: [
    "Halve the batch size ({from} → {to}), or make the images smaller.",
    "请把批大小减半（{from} → {to}），或缩小图像。",
  ],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

export const WORKER_ENGLISH: Readonly<Record<string, string>> = column(0);
export const WORKER_CHINESE: Readonly<Record<string, string>> = column(1);

/** The worker's sentence in the reader's language; as it came where this table does not know it. */
export function workerSentence(text: string, language: WordsLanguage): string {
  const found = language === "zh" ? recognise(text, WORKER_ENGLISH) : null;
  if (found === null) return text;
  const { cause, ...values } = found.values;
  const said: Record<string, string> =
    cause === undefined ? {} : { cause: workerSentence(cause, language) };
  return fillIn(WORKER_CHINESE[found.key] ?? text, { ...values, ...said });
}

/** A pre-flight's finding that quotes the worker: its Chinese ends in the worker's own sentence. */
export function findingInChinese(messageZh: string): string {
  const quoted = /^(训练会立即失败：)(.+)$/su.exec(messageZh);
  return quoted === null ? messageZh : `${quoted[1]}${workerSentence(quoted[2] ?? "", "zh")}`;
}

function column(index: 0 | 1): Record<string, string> {
  return Object.fromEntries(Object.entries(ROWS).map(([key, pair]) => [key, pair[index]]));
}
