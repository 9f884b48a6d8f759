// The terminal of `watch`: log lines scroll, and below them one line of progress is redrawn. Without a terminal the same
// comes as plain lines, progress now and then.
import { type Context, harmless } from "./context.ts";

const PLAIN_EVERY_MS = 5000;
const CLEAR_LINE = "\r\u001b[2K";

export class LiveView {
  readonly #context: Context;
  readonly #isTerminal: boolean;
  #status = "";
  #lastPlainAt = Number.NEGATIVE_INFINITY;
  #lastPlain = "";

  constructor(context: Context) {
    this.#context = context;
    this.#isTerminal = context.streams.stdout.isTTY === true;
  }

  /** A line that stays. */
  line(given: string): void {
    const text = harmless(given);
    const { stdout } = this.#context.streams;
    stdout.write(
      this.#isTerminal ? `${CLEAR_LINE}${text}\n${this.#cut(this.#status)}` : `${text}\n`,
    );
  }

  /** The line that is redrawn; `force` prints it even where it would wait its turn. */
  status(given: string, force = false): void {
    const text = harmless(given).replace(/[\n\t]/g, " ");
    this.#status = text;
    const { stdout } = this.#context.streams;
    if (this.#isTerminal) {
      stdout.write(`${CLEAR_LINE}${this.#cut(text)}`);
      return;
    }
    const isDue = performance.now() - this.#lastPlainAt >= PLAIN_EVERY_MS;
    if (text === this.#lastPlain || !(isDue || force)) return;
    this.#lastPlainAt = performance.now();
    this.#lastPlain = text;
    stdout.write(`${text}\n`);
  }

  /** Leaves the last status where it stands. */
  close(): void {
    if (this.#isTerminal && this.#status !== "") this.#context.streams.stdout.write("\n");
    this.#status = "";
  }

  /** A line that wraps could not be cleared any more. */
  #cut(text: string): string {
    const columns = this.#context.streams.stdout.columns || 80;
    let width = 0;
    let end = 0;
    for (const character of text) {
      width += isWide(character) ? 2 : 1;
      if (width >= columns) break;
      end += character.length;
    }
    return text.slice(0, end);
  }
}

/** Chinese characters take two cells. */
function isWide(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0x1100 && (code <= 0x115f || (code >= 0x2e80 && code <= 0xffe6));
}
