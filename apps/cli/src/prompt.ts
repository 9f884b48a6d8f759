// Asks for a name, and for a password that is not shown while it is typed.
import { createInterface } from "node:readline/promises";
import type { Streams } from "./context.ts";
import { UsageProblem } from "./exit-codes.ts";

/** The question goes to stderr, so that stdout stays for answers. */
export async function ask({ stdin, stderr }: Streams, question: string): Promise<string> {
  const reader = createInterface({ input: stdin, output: stderr, terminal: stdin.isTTY === true });
  try {
    return (await reader.question(question)).trim();
  } finally {
    reader.close();
  }
}

/** The first line of stdin, for `--password-stdin`. */
export async function readFirstLine({ stdin }: Streams): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8").split(/\r?\n/, 1)[0] ?? "";
}

const CONTROL_C = "\u0003";
const CONTROL_D = "\u0004";
const BACKSPACES = ["\u007f", "\b"];

/** @throws UsageProblem where there is no terminal to hide it on, and on Ctrl-C */
export function askSecret({ stdin, stderr }: Streams, question: string): Promise<string> {
  if (!stdin.isTTY)
    throw new UsageProblem("There is no terminal to ask on; give --password-stdin or --token.");
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.resume();
  stdin.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    let secret = "";
    const finish = (end: () => void) => {
      stdin.off("data", take);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
      end();
    };
    const take = (typed: Buffer | string) => {
      for (const character of String(typed)) {
        if (character === "\r" || character === "\n" || character === CONTROL_D)
          return finish(() => resolve(secret));
        if (character === CONTROL_C)
          return finish(() => reject(new UsageProblem("Nothing was typed.")));
        if (BACKSPACES.includes(character)) secret = [...secret].slice(0, -1).join("");
        else secret += character;
      }
    };
    stdin.on("data", take);
  });
}
