// What server and worker say: their own sentences, and what is wrong with a field in people's words.
import { SENTENCES } from "../../platform/server-sentences.ts";

const sentences: Record<string, string> = { ...SENTENCES };

export default {
  sentences,
  issues: {
    missing: "A value is needed.",
    type: "Must be of the type {type}, not {received}.",
    only: "Must be {value}.",
    oneOf: "Must be one of {options}.",
    textTooShort: "At least {bound} characters.",
    textTooLong: "At most {bound} characters.",
    listTooShort: "At least {bound} entries.",
    listTooLong: "At most {bound} entries.",
    atLeast: "Must be at least {bound}.",
    above: "Must be more than {bound}.",
    atMost: "Must be at most {bound}.",
    below: "Must be less than {bound}.",
    fieldMeant: "There is no field of this name; did you mean {name}?",
    noSuchField: "There is no field of this name.",
    unknownKey: "There is no field {keys}.",
    pattern: "Must look like {pattern}.",
    multiple: "Must be a multiple of {bound}.",
    wrong: "This value is not allowed here.",
    whole: "Must be a whole number.",
    positiveWhole: "Must be a positive whole number.",
    controlCharacters: "Must not hold control characters.",
    repositoryName: "Must be a name or owner/name.",
    deep: "Is nested too deeply.",
    otherDataset: "The dataset {name} holds {kind}; {recipe} learns from {wanted}.",
    classifyTypes:
      "{name} holds {found}; text-classify learns from .csv, .tsv or .jsonl files with the columns {columns}, or from one folder of .txt files a class.",
    questionsMissing:
      "{name} holds {found} and no {file}; concept learns from a folder with images and {wanted} ({columns}).",
    otherTypes: "{name} holds {found}; {recipe} learns from {wanted}.",
    otherColumns:
      "{file} of {name} has the columns {found}; {recipe} needs {wanted}: rename them, or name yours in {fields}.",
    fileColumns:
      "{name} has the columns {found}; {recipe} needs {wanted}: rename them, or name yours in {fields}.",
    questionColumns: "{file} of {name} has the columns {found}; concept needs {wanted}.",
    fewClasses:
      "{name} has {count} folders of classes ({found}); {recipe} needs two or more, one for each class.",
    emptyClass:
      "The class {found} of {name} has no {wanted} file; fill its folder, or take it away.",
    unknownClasses: "Names {found}, and {name} has no such class; it has {classes}.",
    oneClass: "Names one class alone, {found}; sorting needs at least two.",
    oldDataMissing: "Is about old data, and old_data is empty: name it, or leave this empty.",
    startingModel: "Is {value}, and the starting model {name} has {other}; set it to {wanted}.",
    widthHeads: "Is {value}; with {heads} heads it must be a multiple of {step}, such as {wanted}.",
    kvHeads: "Is {value}; it must divide heads, {heads}: {wanted}.",
    kvHeadsLatent: "Has no meaning for deepseek-v3, whose heads share one latent; leave it empty.",
    noModuleDropout: "Is {value}; transformers' modules have none: set it to 0.",
    atMostField: "Is {value}; it can be at most {field}, {bound}.",
    otherModel: "{name} was trained by {trained}; {recipe} goes on from versions of {wanted}.",
    source: "Must name one of {kinds}, such as {example}.",
    elasticAlone:
      "Holds on to what a model knows of old data: give init_from and old_data too, or leave it empty.",
    mutualFrom:
      "Begin with different weights each, so they do not go with init_from; to learn from that model, name it in distill_from.",
    mutualWidths: "Has {count} widths for {students} students; give one each, or none.",
    mutualWidthsAlone:
      "Gives widths to students, and mutual_students is empty; say how many there are.",
    fsdp2Alone:
      "Cuts a model over several processes, and there is one; take ddp, or more processes.",
    fsdp2With: "Does not go with {what}; take {instead}.",
  },
  kinds: { images: "images", recordings: "recordings", texts: "texts" },
};
