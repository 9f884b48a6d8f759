// The server's one reader of the environment: every variable with its default and what it is for.
// docs/reference/settings.md is generated from this table.
import os from "node:os";
import path from "node:path";
import { z } from "zod";
import { secretValues } from "./secrets.ts";

/** One variable, for the reader below and for the reference page. */
interface Variable {
  readonly schema: z.ZodType;
  /** As the reference page shows it. */
  readonly fallback: string;
  readonly sentence: string;
  /** Only tests set it; the page says so. */
  readonly isForTests?: boolean;
}

const onOff = z
  .enum(["1", "0", "true", "false", "on", "off", "yes", "no"], "must be on or off")
  .transform((text) => ["1", "true", "on", "yes"].includes(text));
const list = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== ""),
);
const httpUrl = z.url({ protocol: /^https?$/, error: "must be an http:// or https:// address" });
const origins = list.pipe(z.array(httpUrl.transform((text) => new URL(text).origin)));
const megabytes = z
  .string()
  .regex(/^[1-9][0-9]{0,6}$/, "must be a whole number of megabytes")
  .transform((text) => Number(text) * 1024 * 1024);
const logLines = z
  .string()
  .regex(/^[1-9][0-9]{2,8}$/, "must be a whole number, at least 100")
  .transform(Number);
const minutes = z
  .string()
  .regex(/^[0-9]{1,6}$/, "must be a whole number of minutes")
  .transform(Number);
const folder = z.string().min(1, "must name a folder").transform(expandHome);
const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, "must begin with postgres:// (leave it out for SQLite)");
const port = z
  .string()
  .regex(/^[0-9]{1,5}$/, "must be a port number")
  .transform(Number)
  .refine((number) => number <= 65_535, "must be at most 65535");
const gpuNumbers = z
  .string()
  .regex(/^-?[0-9]+(,-?[0-9]+)*$/, "must be GPU numbers separated by commas")
  .transform((text) =>
    text
      .split(",")
      .map(Number)
      .filter((index) => index >= 0),
  );
const people = z
  .string()
  .regex(/^[0-9]{1,4}$/, "must be a whole number")
  .transform(Number);
const failpoint = z
  .string()
  .regex(/^after-commit(:[1-9][0-9]{0,8})?$/, "must be after-commit or after-commit:<number>")
  .transform((text) => Number(text.split(":")[1] ?? 1));

export const variables = {
  SPOTTER_HOME: {
    schema: folder,
    fallback: ".spotter",
    sentence: "The data folder: database, content store, run folders, backups.",
  },
  SPOTTER_HOST: {
    schema: z.string().min(1),
    fallback: "127.0.0.1",
    sentence:
      "The address to listen on. Any other than a loopback address makes the server reachable from other machines: set it behind a firewall or a TLS proxy.",
  },
  SPOTTER_PORT: {
    schema: port,
    fallback: "8888",
    sentence: "The port to listen on; when it is taken, the next free one. 0: any free one.",
  },
  DATABASE_URL: {
    schema: databaseUrl.optional(),
    fallback: "",
    sentence:
      "`postgres://…` for PostgreSQL 15 or newer; without it, a SQLite file in the data folder.",
  },
  SPOTTER_ALLOWED_ORIGINS: {
    schema: origins,
    fallback: "",
    sentence:
      "Origins of other sites whose pages may call this server (CORS), comma-separated, such as `https://lab.example`.",
  },
  SPOTTER_ALLOWED_HOSTS: {
    schema: list,
    fallback: "",
    sentence:
      "Names under which this server may be reached besides loopback and its own address, comma-separated, without port. Every other Host header is refused, which stops DNS rebinding.",
  },
  SPOTTER_DATA_ROOTS: {
    schema: list.pipe(z.array(folder)),
    fallback: "",
    sentence:
      "Folders of the server's machine from which training data and TensorBoard folders may be read, comma-separated. One that is not there is told at the start, and read from once it is.",
  },
  SPOTTER_REGISTRATION: {
    schema: z.enum(["closed", "open", "invitation"], "must be closed, open or invitation"),
    fallback: "closed",
    sentence:
      "Who may create an account for themselves. `closed`: nobody but the holder of an administrator's invitation, and the sign-in page does not speak of it; `invitation`: the same, and the sign-in page says how; `open`: everybody, as viewer.",
  },
  SPOTTER_COMMAND_RUNS: {
    schema: z.enum(["members", "admins", "off"], "must be members, admins or off"),
    fallback: "members",
    sentence:
      "Who may start programs of their own (recipe `command`), which run as the server's user: `members` of a project, the server's `admins` alone, or nobody (`off`). Resuming counts as starting; what waits in the queue already still runs.",
  },
  SPOTTER_PROGRAM_ENVIRONMENT: {
    schema: list,
    fallback: "",
    sentence:
      "Variables of the server's environment that programs of `command` runs get besides those that every program needs (PATH, HOME, locale, proxies, Python's, CUDA's), comma-separated. Without it they get none that may hold a secret, such as HF_TOKEN.",
  },
  SPOTTER_MAX_RUNNING_PER_PERSON: {
    schema: people,
    fallback: "0",
    sentence:
      "So many trainings of one person run at once; the rest of them waits, and others go by. 0: as many as fit.",
  },
  SPOTTER_PREEMPTION: {
    schema: onOff,
    fallback: "on",
    sentence:
      "Whether a training of the class `urgent` that does not fit makes less urgent ones give way: they save a checkpoint, wait, and go on by themselves. `off`: it waits for them to end.",
  },
  CUDA_VISIBLE_DEVICES: {
    schema: gpuNumbers.optional(),
    fallback: "",
    sentence:
      "The GPUs that trainings are placed on, by their numbers in nvidia-smi, comma-separated; without it, all. -1: none.",
  },
  SPOTTER_LOG_LEVEL: {
    schema: z.enum(
      ["debug", "info", "warn", "error", "silent"],
      "must be debug, info, warn, error or silent",
    ),
    fallback: "info",
    sentence: "The least severe log lines to write.",
  },
  SPOTTER_LOG_FORMAT: {
    schema: z.enum(["auto", "json", "pretty"], "must be auto, json or pretty"),
    fallback: "auto",
    sentence: "JSON lines or lines for people; `auto`: for people in a terminal, else JSON.",
  },
  SPOTTER_PYTHON_ENV: {
    schema: folder.optional(),
    fallback: "",
    sentence:
      "The Python virtual environment that workers run in; without it, the one that `npm start` made in the checkout.",
  },
  SPOTTER_ADVERTISE_URL: {
    schema: httpUrl.transform((text) => text.replace(/\/+$/, "")).optional(),
    fallback: "",
    sentence:
      "The address under which workers and other machines reach this server; without it, the address that it listens on.",
  },
  SPOTTER_TRUST_PROXY: {
    schema: onOff,
    fallback: "off",
    sentence:
      "Take the client's address and protocol from X-Forwarded-* headers. Only behind a proxy that sets them itself.",
  },
  SPOTTER_SECURE_COOKIES: {
    schema: onOff,
    fallback: "off",
    sentence: "Send session cookies over HTTPS only. Turn it on behind TLS.",
  },
  SPOTTER_MAX_UPLOAD_MB: {
    schema: megabytes,
    fallback: "4096",
    sentence: "The largest file that may be uploaded, in megabytes.",
  },
  SPOTTER_MAX_PROJECT_DATA_MB: {
    schema: megabytes,
    fallback: "1048576",
    sentence:
      "The most that the uploaded datasets of one project may hold together, in megabytes; an upload beyond it is refused. Equal files count each time, though they lie on the disk once.",
  },
  SPOTTER_MAX_LOG_LINES: {
    schema: logLines,
    fallback: "1000000",
    sentence:
      "So many log lines of a run are kept; of a longer log the first and the last half, and between them a line that says how many are left out.",
  },
  SPOTTER_MAX_BODY_MB: {
    schema: megabytes,
    fallback: "16",
    sentence: "The largest JSON body that is read, in megabytes.",
  },
  SPOTTER_ALERT_PRIVATE_TARGETS: {
    schema: z.enum(["refuse", "allow"], "must be refuse or allow"),
    fallback: "refuse",
    sentence:
      "Whether alerts may be delivered to private, loopback and link-local addresses. `allow` lets project administrators make the server send requests into its own network.",
  },
  SPOTTER_PAUSE_RELEASE_MINUTES: {
    schema: minutes,
    fallback: "15",
    sentence:
      "A paused training gives its GPU memory back after so many minutes, and takes it again before it goes on; 0: never. Workers read it.",
  },
  SPOTTER_TENSORBOARD_QUIET_MINUTES: {
    schema: minutes,
    fallback: "60",
    sentence:
      "A run of a TensorBoard folder that the server follows counts as ended after so many minutes without a new point; with the next point it goes on. 0: never.",
  },
  SPOTTER_FAILPOINT: {
    schema: failpoint.optional(),
    fallback: "",
    sentence:
      "`after-commit:<n>`: the server kills itself between the commit of the n-th worker batch and its reply.",
    isForTests: true,
  },
} as const satisfies Record<string, Variable>;

type VariableName = keyof typeof variables;
type Value<Name extends VariableName> = z.output<(typeof variables)[Name]["schema"]>;

export interface Settings {
  /** Absolute. */
  readonly home: string;
  readonly host: string;
  readonly port: number;
  readonly databaseUrl: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  /** Absolute. */
  readonly dataRoots: readonly string[];
  readonly registration: Value<"SPOTTER_REGISTRATION">;
  readonly commandRuns: Value<"SPOTTER_COMMAND_RUNS">;
  /** Variables that programs get besides the usual; the worker reads them itself. */
  readonly programEnvironment: readonly string[];
  /** Values of the whole environment that no stored line may hold. */
  readonly secrets: readonly string[];
  /** Null: no bound. */
  /** Whether urgent trainings make others give way. */
  readonly preemption: boolean;
  readonly maxRunningPerPerson: number | null;
  /** Null: all. */
  readonly visibleGpus: readonly number[] | null;
  readonly logLevel: Value<"SPOTTER_LOG_LEVEL">;
  readonly logFormat: Value<"SPOTTER_LOG_FORMAT">;
  readonly pythonEnvironment: string | undefined;
  readonly advertiseUrl: string | undefined;
  readonly trustProxy: boolean;
  readonly secureCookies: boolean;
  readonly maxUploadBytes: number;
  readonly maxProjectDataBytes: number;
  readonly maxLogLines: number;
  readonly maxBodyBytes: number;
  readonly alertPrivateTargets: Value<"SPOTTER_ALERT_PRIVATE_TARGETS">;
  /** Here only so that a wrong one stops the start: workers inherit the variable. */
  readonly pauseReleaseMinutes: number;
  readonly tensorboardQuietMinutes: number;
  /** Number of the ingest batch after whose commit the process kills itself. */
  readonly failAfterCommitOf: number | undefined;
}

/** A variable has a value that it cannot have; the message names it. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** @throws SettingsError with one line for each bad variable */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const problems = new Set<string>();
  function read<Name extends VariableName>(name: Name): Value<Name> {
    const { schema, fallback } = variables[name];
    const text =
      environment[name] || fallback || (schema instanceof z.ZodOptional ? undefined : "");
    const result = schema.safeParse(text);
    if (result.success) return result.data as Value<Name>;
    for (const { message } of result.error.issues)
      problems.add(`${name} ${message}; it is ${JSON.stringify(text)}`);
    return undefined as Value<Name>;
  }
  const settings: Settings = {
    home: read("SPOTTER_HOME"),
    host: read("SPOTTER_HOST"),
    port: read("SPOTTER_PORT"),
    databaseUrl: read("DATABASE_URL"),
    allowedOrigins: read("SPOTTER_ALLOWED_ORIGINS"),
    allowedHosts: read("SPOTTER_ALLOWED_HOSTS"),
    dataRoots: read("SPOTTER_DATA_ROOTS"),
    registration: read("SPOTTER_REGISTRATION"),
    commandRuns: read("SPOTTER_COMMAND_RUNS"),
    programEnvironment: read("SPOTTER_PROGRAM_ENVIRONMENT"),
    secrets: secretValues(environment),
    preemption: read("SPOTTER_PREEMPTION"),
    maxRunningPerPerson: read("SPOTTER_MAX_RUNNING_PER_PERSON") || null,
    // Set and empty is CUDA's way to say none.
    visibleGpus:
      environment.CUDA_VISIBLE_DEVICES === "" ? [] : (read("CUDA_VISIBLE_DEVICES") ?? null),
    logLevel: read("SPOTTER_LOG_LEVEL"),
    logFormat: read("SPOTTER_LOG_FORMAT"),
    pythonEnvironment: read("SPOTTER_PYTHON_ENV"),
    advertiseUrl: read("SPOTTER_ADVERTISE_URL"),
    trustProxy: read("SPOTTER_TRUST_PROXY"),
    secureCookies: read("SPOTTER_SECURE_COOKIES"),
    maxUploadBytes: read("SPOTTER_MAX_UPLOAD_MB"),
    maxProjectDataBytes: read("SPOTTER_MAX_PROJECT_DATA_MB"),
    maxLogLines: read("SPOTTER_MAX_LOG_LINES"),
    maxBodyBytes: read("SPOTTER_MAX_BODY_MB"),
    alertPrivateTargets: read("SPOTTER_ALERT_PRIVATE_TARGETS"),
    pauseReleaseMinutes: read("SPOTTER_PAUSE_RELEASE_MINUTES"),
    tensorboardQuietMinutes: read("SPOTTER_TENSORBOARD_QUIET_MINUTES"),
    failAfterCommitOf: read("SPOTTER_FAILPOINT"),
  };
  if (problems.size > 0) throw new SettingsError([...problems].join("\n"));
  return settings;
}

function expandHome(text: string): string {
  const expanded = text.replace(/^~(?=\/|$)/, os.homedir());
  return path.resolve(expanded);
}
