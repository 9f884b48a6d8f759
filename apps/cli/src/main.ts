// The command line's entry: runs one command, says in one sentence what went wrong, ends with the code that says how.
import { harmless } from "./context.ts";
import { endingOf } from "./exit-codes.ts";
import { runProgram } from "./program.ts";
import { readSettings } from "./settings.ts";

// A reader that has seen enough (`spotter runs | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

try {
  const { stdout, stderr, stdin } = process;
  process.exitCode = await runProgram(process.argv.slice(2), readSettings(), {
    stdout,
    stderr,
    stdin,
  });
} catch (error) {
  const { code, sentence } = endingOf(error);
  if (sentence !== null) process.stderr.write(`${harmless(`spotter: ${sentence}`)}\n`);
  process.exitCode = code;
}
