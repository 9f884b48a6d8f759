// The sentences that server and worker say in English, recognised so that other languages can say them too. Pure.
// A sentence that is new to this table stays as it came; pages then mark it as English.
import { WORKER_ENGLISH } from "@spotter/contract";

/** `{places}` stand for what varies; where two rows fit, the first counts. Also the English words of the pages: see locales/en/server.ts. */
export const SENTENCES: Readonly<Record<string, string>> = {
  waitsForRun: "Waits for run {run} to end: one training runs at a time.",
  waitsForPrediction: "Waits for an earlier prediction to end.",
  waitsForPreflight: "Waits for an earlier pre-flight to end.",
  needsIt: "Needs {amount}; run {run} holds it.",
  needsThem: "Needs {amount}; run {run} holds them.",
  needsItOfMany: "Needs {amount}; runs {runs} hold it.",
  needsThemOfMany: "Needs {amount}; runs {runs} hold them.",
  needsOthers: "Needs {amount}, which others hold.",
  needsDisk: "Needs {amount}; {free} are free.",
  neverFits: "Needs {amount}; this machine has {has}.",
  firstInLine: "Would fit, but run {run} is first in line and needs the room.",
  otherFirstInLine: "Would fit, but another run is first in line and needs the room.",
  inLine: "Waits in line behind earlier trainings.",
  yieldsTo: "Gives way to run {run} (urgent): saves a checkpoint and goes on by itself later.",
  yieldsToHidden:
    "Gives way to an urgent run of another project: saves a checkpoint and goes on by itself later.",
  preemptedAtStep: "Pre-empted by run {run} (urgent); goes on by itself from step {step}. {cause}",
  preemptedByHiddenAtStep:
    "Pre-empted by an urgent run of another project; goes on by itself from step {step}. {cause}",
  preempted:
    "Pre-empted by run {run} (urgent); goes on by itself from its last checkpoint. {cause}",
  preemptedByHidden:
    "Pre-empted by an urgent run of another project; goes on by itself from its last checkpoint. {cause}",
  onlyMembersCancel:
    "Run {run} may be taken out of the queue by members of its project; you are a viewer there.",
  leftAlone: "Run {run} does not wait any more ({state}); it was left alone.",
  givesWayNow:
    "Run {run} gives way to an urgent training and goes on by itself later; try again once it runs.",
  personsBound:
    "Waits for one of its owner's {count} running trainings to end: no more of one person run at once.",
  triedAgain:
    "Attempt {attempt} of {count} was lost and is made good from the last checkpoint: {cause}",
  triedAgainPaused:
    "Attempt {attempt} of {count} was lost while paused, and comes back paused from the last checkpoint: {cause}",
  allAttemptsLost: "Lost in all of its {count} attempts: {cause}",
  samePlace: "Crashed three times at about step {step}, so it is not tried again: {cause}",
  sameBeginning: "Crashed three times before the first step, so it is not tried again: {cause}",
  attemptTooLong: "the attempt ran longer than its limit of {seconds} s",
  workerEndedBy: "the worker was ended by {signal}",
  workerUsed: "the worker used {used} GiB, its limit is {limit} GiB",
  otherPersons: "The training is another person's; an administrator of the project may change it.",
  otherPersonsMove: "Run {run} is another person's; an administrator of the project may move it.",
  classBefore:
    "Run {run} is {class} and cannot stand before run {other}, which is {otherClass}; change its priority.",
  waitsNoMore: "Run {run} does not wait any more ({state}).",
  onlyAdminOrders:
    "Only the server's administrator may put trainings of several people into order.",
  noPython:
    "No Python environment is set up for training; run `npm start` once more and read its output.",
  supervisorReplaced:
    "The supervisor process was gone; a new one has taken over the running worker.",
  stoppedAsAsked: "Stopped as asked.",
  workerLost: "The worker process disappeared without telling how the run ended.",
  supervisorLost: "Supervisor and worker both disappeared; the machine may have been restarted.",
  timeLimit: "The time limit was reached.",
  startFailed: "The worker could not be started.",
  startFailedBecause: "The worker could not be started: {cause}",
  outOfMemory: "The worker was ended because the machine ran out of memory.",
  killedBy: "The worker was killed by {signal}.",
  endedBecause: "The worker ended: {cause}.",
  exitCode: "The worker exited with code {code}; its last log lines say more.",
  programEndedSaying: "{program} ended with exit code {code}: {line}",
  programEnded: "{program} ended with exit code {code}",
  programKilledSaying: "{program} ended with SIG{signal}: {line}",
  programKilled: "{program} ended with SIG{signal}",
  programTooLong: "{program} ran longer than its limit of {minutes} min and was stopped",

  runEnded: "Run {run} has ended ({state}).",
  runOutside: "Run {run} runs outside Spotter, which cannot {action} it.",
  stopFirst: "Run {run} is {state}; stop it before you delete it.",
  notStartedHere: "Run {run} was not started here, so it cannot be resumed from here.",
  restoreFirst: "Run {run} is deleted; restore it first.",
  onlyEndedResumes: "Run {run} is {state}; only failed and stopped runs can be resumed.",
  stillEnding: "The process of run {run} is still ending; try again in a moment.",
  resumedAlready: "Run {run} has been resumed already.",
  notByRecipe: "Run {run} was not trained by a recipe of Spotter.",
  noSuchRun: "There is no run {run}.",
  predictionTooLong: "The prediction took longer than {seconds} s and was given up.",
  predictionNoAnswer: "The prediction ended without an answer.",

  valuesInQueue: "Run {run} waits in the queue; its values can be changed once it runs.",
  valuesStarting: "Run {run} is starting; try again once it runs.",
  valuesEnded: "Run {run} has ended ({state}); its values can be changed only while it runs.",
  goesBack: "Goes back to the checkpoint of before a change.",
  revertFinished:
    "Run {run} has finished; what it has learnt stays. Fork it from the checkpoint of before the change instead.",
  nothingWouldChange: "nothing would change: {told}",
  wouldBeOver:
    "the run would be over: {step} steps are made, and under these values it has {total}",
  noDropout: "this model has no dropout; what can be changed: {names}",
  forkOutside: "Run {run} was not trained here, so its state is not Spotter's to fork.",
  forkProgram: "Run {run} is a program of its own: only it knows how to load its checkpoints.",
  checkpointOfStep:
    "Run {run} has no checkpoint of step {step}; it has those of the steps {steps}.",
  checkpointBest:
    "Run {run} has no checkpoint that is marked best; it has those of the steps {steps}.",
  checkpointTorn: "The checkpoint of step {step} is not whole: {cause}. Fork from another one.",
  forkWithoutSteps:
    "The fork would begin at step {step}, and its config ends at step {total}; give it more epochs, or a larger max_steps.",
  forkCannotKeep:
    "{part} cannot be kept when {keys} changes; leave it out, or leave the change out.",

  noPreflight:
    "A training of the recipe {recipe} has no pre-flight: Spotter cannot look into a program of your own. Start it with little work and a time limit (time_limit_minutes) instead.",

  notPaused: "the run is not paused",
  pausedAlready: "the run is paused already",
  runHasEnded: "the run has ended",
  unknownCommand: "this worker knows no '{command}'",

  roleAndNotIn: "This needs the role {role} in the project; you are not in this project.",
  roleAndIs: "This needs the role {role} in the project; you are {held}.",
  needsAdministrator: "This needs the server's administrator.",
  currentPasswordWrong: "The current password is wrong.",
  noDataRoots: "This server reads no folders: set SPOTTER_DATA_ROOTS to those that it may read.",
  aFileThere: "There is a file at this path; a folder is wanted.",
  uploadTooLarge: "An upload may have {bytes} bytes at most.",
  uploadOf: "The upload has {bytes} bytes; it may have {most} at most.",
  projectDataFull:
    "With this upload the project's datasets would hold {bytes} bytes; they may hold {most} at most.",
  tooManyEntries: "The archive holds more than {count} entries.",
  entryOutside: "The entry {name} points outside the archive.",
  entryEncrypted: "The entry {name} is encrypted.",
  entryLink: "The entry {name} is a link or a device.",
  entryTwice: "The entry {name} is there twice.",
  entryTooLarge: "The entry {name} is too large: {bytes} bytes at most.",
  oneClassOnly: "The archive holds one class only; a classifier needs two or more folders.",
  textNotUtf8: "{file}: row {row} is not UTF-8; save the file as UTF-8.",
  textNotJson: "{file}: row {row} is no JSON ({cause}).",
  textNotObject: "{file}: row {row} is no JSON object with names and values.",
  textFields:
    "{file}: row {row} has {found} fields, the first row {wanted} names; put texts with commas in quotes.",
  textQuote:
    "{file}: row {row} has text behind a closing quote; write a quote inside quotes twice.",
  textOpen: "{file}: row {row} is the last, and a quoted text goes on behind it.",
  textEmpty: "{file}: the file is empty; it must hold at least one text.",
  textOnlyNames: "{file}: there is a row of names, and no row of texts below it.",
  notATextFile:
    "{name} is no file of texts: .txt, .md, .jsonl, .ndjson, .csv or .tsv. Send anything else as a zip.",

  receiverAway: "The receiver could not be reached: {cause}.",
  receiverSilent: "No answer within {seconds} seconds.",
  receiverUnknown: "The name {host} has no address.",
  receiverPrivate:
    "Refused: the receiver has a private, loopback or link-local address (SPOTTER_ALERT_PRIVATE_TARGETS).",

  notAText: "is not a .txt, .md, .jsonl, .ndjson, .csv or .tsv file",
  notAnImage: "is not a PNG, JPEG, BMP, WEBP or GIF",
  notARecording: "is not a WAV or FLAC",
  ofNoKind: "is neither an image nor a recording",
  cutOffEnd: "is cut off: its end is missing",
  cutOffBytes: "is cut off: {there} of {bytes} bytes are there",
  damagedHeader: "is damaged: its header is missing",
  damagedPart: "is damaged: the checksum of its part {part} is wrong",
  noneWhole: "None of the {count} files can be read: {cause}.",
  hiddenFile: "is a hidden or system file",
  noClassFolder: "is in no class folder",
  tooDeep: "is deeper than its class folder",
  nameTooLong: "has an empty name or one of more than {bytes} bytes",
  andMore: "and {count} more",

  hintDisk:
    "Free some disk space, then resume the run, or begin it anew if it has saved no checkpoint.",
  hintInput: "Correct the data or the configuration, then start a new run.",
  hintBatch: "Halve the batch size ({from} → {to}), or make the images smaller.",
  hintSmaller: "Make the images smaller or the model narrower.",
  hintBatchTextLora:
    "Halve the batch size ({from} → {to}), or make the context shorter, or train by LoRA (method=lora).",
  hintBatchText: "Halve the batch size ({from} → {to}), or make the context shorter.",
  hintSmallerTextLora:
    "Make the context shorter, or train by LoRA (method=lora) or the model narrower.",
  hintSmallerText: "Make the context shorter or the model narrower.",
  hintProgram: "Its last lines are below; the log has all of them.",
  hintPeers:
    "If it has saved a checkpoint, resume the run to go on from there. If a process ended for want of memory, take a smaller batch or fewer processes.",
  hintResume: "If it has saved a checkpoint, resume the run to go on from there.",
  hintTimeLimit: "If it has saved a checkpoint, resume the run: each attempt has the whole time.",
  hintPackages: "Connect the machine to a network, or install them by hand.",

  packagesMissing:
    'the packages of the set "{set}", which this recipe needs, could not be installed: {cause}. Install them where there is a network with: {command}',
  hubGated:
    "{name} on {hub} is gated: accept its terms on its page there, then start Spotter with HF_TOKEN set to a token of that account",
  hubUnknown:
    "{hub} has no model '{name}'; check the spelling (owner/name). A private model needs HF_TOKEN",
  hubRevision: "{name} on {hub} has no revision '{revision}'",
  hubAway:
    "{cause}, and {name} is not on this machine yet. Connect it to a network, set HF_ENDPOINT to a mirror that it reaches, or give the model's folder as a path",
  tuneColumns:
    "{file}, row {row}: the columns are {found}; expected {wanted}: rename them, or name yours in the config",

  // What the worker says of data and machine; the command line has the same words.
  ...WORKER_ENGLISH,
};

/** What the schema library says of a field that is wrong (zod 4, its English locale). */
export const ISSUES = {
  missing: "a value is needed",
  type: "must be of the type {type}, not {received}",
  oneOf: "must be one of {options}",
  textTooShort: "must have at least {bound} characters",
  textTooLong: "must have at most {bound} characters",
  listTooShort: "must have at least {bound} entries",
  listTooLong: "must have at most {bound} entries",
  atLeast: "must be at least {bound}",
  above: "must be more than {bound}",
  atMost: "must be at most {bound}",
  below: "must be less than {bound}",
  fieldMeant: "there is no field of this name; did you mean {name}?",
  noSuchField: "there is no field of this name",
  unknownKey: "there is no field {keys}",
  pattern: "must look like {pattern}",
  multiple: "must be a multiple of {bound}",
  wrong: "this value is not allowed here",
  whole: "must be a whole number",
  positiveWhole: "must be a positive whole number",
  controlCharacters: "must not hold control characters",
  repositoryName: "must be a name or owner/name",
  deep: "is nested too deeply",
  fsdp2Alone:
    "fsdp2 cuts a model over several processes, and there is one; take ddp, or more processes.",
  fsdp2With: "fsdp2 does not go with {what}; take {instead}.",
  otherDataset: "the dataset {name} holds {kind}; {recipe} learns from {wanted}",
  classifyTypes:
    "{name} holds {found}; text-classify learns from .csv, .tsv or .jsonl files with the columns {columns}, or from one folder of .txt files a class",
  questionsMissing:
    "{name} holds {found} and no {file}; concept learns from a folder with images and {wanted} ({columns})",
  otherTypes: "{name} holds {found}; {recipe} learns from {wanted}",
  otherColumns:
    "{file} of {name} has the columns {found}; {recipe} needs {wanted}: rename them, or name yours in {fields}",
  fileColumns:
    "{name} has the columns {found}; {recipe} needs {wanted}: rename them, or name yours in {fields}",
  questionColumns: "{file} of {name} has the columns {found}; concept needs {wanted}",
  fewClasses:
    "{name} has {count} folders of classes ({found}); {recipe} needs two or more, one for each class",
  emptyClass: "the class {found} of {name} has no {wanted} file; fill its folder, or take it away",
  unknownClasses: "names {found}, and {name} has no such class; it has {classes}",
  oneClass: "names one class alone, {found}; sorting needs at least two",
  oldDataMissing: "is about old data, and old_data is empty: name it, or leave this empty.",
  startingModel: "is {value}, and the starting model {name} has {other}; set it to {wanted}",
  widthHeads: "is {value}; with {heads} heads it must be a multiple of {step}, such as {wanted}",
  kvHeads: "is {value}; it must divide heads, {heads}: {wanted}",
  kvHeadsLatent: "has no meaning for deepseek-v3, whose heads share one latent; leave it empty",
  noModuleDropout: "is {value}; transformers' modules have none: set it to 0",
  atMostField: "is {value}; it can be at most {field}, {bound}",
  otherModel: "{name} was trained by {trained}; {recipe} goes on from versions of {wanted}",
  source: "must name one of {kinds}, such as {example}",
  elasticAlone:
    "holds on to what a model knows of old data: give init_from and old_data too, or leave it empty.",
  mutualFrom:
    "begin with different weights each, so they do not go with init_from; to learn from that model, name it in distill_from.",
  mutualWidths: "has {count} widths for {students} students; give one each, or none.",
  mutualWidthsAlone:
    "gives widths to students, and mutual_students is empty; say how many there are.",
  // Where none of the above fits.
  only: "must be {value}",
} as const;
