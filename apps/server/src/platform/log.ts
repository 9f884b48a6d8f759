// The server's log: JSON lines for machines, short lines for people in a terminal. Secrets are blacked out here, once.

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";
export type LogFields = Readonly<Record<string, unknown>>;

const ranks: Readonly<Record<LogLevel, number>> = {
  debug: 10,
  info: 20,
  warn: 30,
  error: 40,
  silent: 100,
};
// ANSI: grey, green, yellow, red.
const colours = { debug: 90, info: 32, warn: 33, error: 31 } as const;
const secretName = /password|token|secret|authorization|cookie|api_?key/i;

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "json" | "pretty";
  /** Takes one line without its end. */
  readonly write: (line: string) => void;
}

/**
 * Messages are constant sentences; what varies goes into the fields before them, where it can be searched.
 * The order of the arguments is pino's, so that Fastify and its plugins write into the same log.
 */
export class Log {
  readonly level: LogLevel;
  readonly #options: LogOptions;
  readonly #fields: LogFields;

  constructor(options: LogOptions, fields: LogFields = {}) {
    this.level = options.level;
    this.#options = options;
    this.#fields = fields;
  }

  /** A log whose every line carries these fields too. */
  child(fields: object): Log {
    return new Log(this.#options, { ...this.#fields, ...fields });
  }

  trace(): void {
    // Finer than anything here writes.
  }

  debug(fields: object | string, message?: string): void {
    this.#write("debug", fields, message);
  }

  info(fields: object | string, message?: string): void {
    this.#write("info", fields, message);
  }

  warn(fields: object | string, message?: string): void {
    this.#write("warn", fields, message);
  }

  error(fields: object | string, message?: string): void {
    this.#write("error", fields, message);
  }

  fatal(fields: object | string, message?: string): void {
    this.#write("error", fields, message);
  }

  silent(): void {
    // Part of the interface that Fastify asks for.
  }

  #write(level: keyof typeof colours, fields: object | string, message?: string): void {
    if (ranks[level] < ranks[this.#options.level]) return;
    const given = typeof fields === "string" ? {} : fields;
    const text = typeof fields === "string" ? fields : (message ?? "");
    const all = Object.fromEntries(
      Object.entries({ ...this.#fields, ...given }).map(([name, value]) => [
        name,
        secretName.test(name) ? "***" : loggable(value),
      ]),
    );
    const time = new Date().toISOString();
    this.#options.write(
      this.#options.format === "json"
        ? JSON.stringify({ time, level, message: text, ...all })
        : prettyLine(time, level, text, all),
    );
  }
}

function prettyLine(
  time: string,
  level: keyof typeof colours,
  message: string,
  fields: Record<string, unknown>,
): string {
  const { err, error = err, ...rest } = fields;
  const details = Object.entries(rest).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return ` \u001b[90m${name}=\u001b[0m${text}`;
  });
  const stack = isErrorRecord(error) ? `\n${error.stack ?? error.message}` : "";
  return `${time.slice(11, 19)} \u001b[${colours[level]}m${level.padEnd(5)}\u001b[0m ${message}${details.join("")}${stack}`;
}

interface ErrorRecord {
  readonly message: string;
  readonly stack: string | undefined;
}

function isErrorRecord(value: unknown): value is ErrorRecord {
  return typeof value === "object" && value !== null && "stack" in value;
}

// An Error has no enumerable fields: JSON would show `{}`.
function loggable(value: unknown, depth = 0): unknown {
  if (value instanceof Error)
    return {
      message: value.message,
      stack: value.stack,
      ...("code" in value ? { code: value.code } : {}),
      ...(value.cause !== undefined && depth < 4
        ? { cause: loggable(value.cause, depth + 1) }
        : {}),
    };
  return typeof value === "bigint" ? String(value) : value;
}
