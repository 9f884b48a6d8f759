// How the setup speaks: plain lines on the terminal, and the one error class whose message is meant
// for the person in front of it.

/** A failure that the person can repair; `message` is the whole story, no stack is shown. */
export class SetupProblem extends Error {}

export function say(sentence) {
  process.stdout.write(`${sentence}\n`);
}

export function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

export function gigabytes(bytes) {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Prints a SetupProblem as its sentence and anything else with its stack, then ends the process. */
export function endWith(error) {
  if (error instanceof SetupProblem) process.stderr.write(`\n${error.message}\n`);
  else process.stderr.write(`\n${error?.stack ?? error}\n`);
  process.exit(1);
}
