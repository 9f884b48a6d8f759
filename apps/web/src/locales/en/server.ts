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
    positiveWhole: "Must be a positive whole number.",
    controlCharacters: "Must not hold control characters.",
    repositoryName: "Must be a name or owner/name.",
    deep: "Is nested too deeply.",
    otherDataset: "What the dataset {name} holds is not what {recipe} learns from.",
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
};
