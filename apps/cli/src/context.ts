// What every command is given: the server, the terminal, the language, and whether a program reads along.
import { stripVTControlCharacters, styleText } from "node:util";
import { ApiError, HttpClient } from "@spotter/client";
import { ConfigFile } from "./config-file.ts";
import { localServerUrl } from "./local-server.ts";
import type { Language, Settings } from "./settings.ts";

export const DEFAULT_SERVER = "http://127.0.0.1:8888";

/** Options that every command takes. */
export interface GlobalOptions {
  server?: string;
  json?: boolean;
  lang?: Language;
  color?: boolean;
}

/** The process's own streams; others in tests. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
}

type Style = Parameters<typeof styleText>[0];

export class Context {
  readonly settings: Settings;
  readonly streams: Streams;
  readonly configFile: ConfigFile;
  readonly json: boolean;
  readonly language: Language;
  readonly #hasColor: boolean;
  readonly #server: string | undefined;

  constructor(settings: Settings, streams: Streams, options: GlobalOptions) {
    this.settings = settings;
    this.streams = streams;
    this.configFile = new ConfigFile(settings.configFolder);
    this.json = options.json === true;
    this.language = options.lang ?? settings.language;
    this.#hasColor = streams.stdout.isTTY && !settings.noColor && options.color !== false;
    this.#server = options.server;
  }

  /** The sentence in the person's language. */
  text(english: string, chinese: string): string {
    return this.language === "zh" ? chinese : english;
  }

  style(style: Style, text: string): string {
    return this.#hasColor ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Lines for people. Nothing from the server may steer the terminal, so control characters go. */
  say(line: string): void {
    this.streams.stdout.write(`${harmless(line)}\n`);
  }

  /** One line beside the output, for what a program must not read. */
  note(line: string): void {
    this.streams.stderr.write(`${harmless(line)}\n`);
  }

  /** The answer for programs: the contract's own shape. */
  answer(value: unknown): void {
    this.streams.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** One line of a stream for programs. */
  answerLine(value: unknown): void {
    this.streams.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** The server's address, without deciding whether anybody is signed in. */
  serverUrl(): string {
    const chosen =
      this.#server ??
      this.settings.server ??
      this.configFile.read()?.server ??
      localServerUrl(this.settings.home);
    return (chosen ?? DEFAULT_SERVER).replace(/\/+$/, "");
  }

  /** @throws ApiError `not-signed-in` when there is no token for the server */
  client(): HttpClient {
    const baseUrl = this.serverUrl();
    const account = this.settings.token === undefined ? this.configFile.read() : null;
    // A token goes to the server that gave it, and to no other.
    const token = this.settings.token ?? (account?.server === baseUrl ? account.token : undefined);
    if (token !== undefined) return new HttpClient({ baseUrl, token });
    const sentence = this.text(
      `You are not signed in to ${baseUrl}; run: spotter sign-in --server ${baseUrl}`,
      `尚未登录 ${baseUrl}；请运行：spotter sign-in --server ${baseUrl}`,
    );
    throw new ApiError("not-signed-in", 401, sentence);
  }
}

/** Text from elsewhere, safe to print: no escape sequences, nothing that turns the reading direction, one line. */
export function printable(text: string): string {
  return harmless(stripVTControlCharacters(text)).replace(/\p{Cc}/gu, " ");
}

/** The same for a text of several lines, which stay. */
export function printableLines(text: string): string {
  return text.split(/\r?\n/).map(printable).join("\n");
}

const STYLE = new RegExp(`(${String.fromCharCode(27)}\\[[0-9;]*m)`);
const TURNS_READING = /[\u202a-\u202e\u2066-\u2069]/gu;

/** What may be written to a terminal: text, ends of lines, tabs, and the colours that we give it ourselves. */
export function harmless(text: string): string {
  return text
    .split(STYLE)
    .map((part) => (STYLE.test(part) ? part : withoutControls(part)))
    .join("");
}

function withoutControls(text: string): string {
  return stripVTControlCharacters(text)
    .replace(TURNS_READING, "")
    .replace(/(?![\n\t])\p{Cc}/gu, " ");
}
