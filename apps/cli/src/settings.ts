// The one reader of the environment of the command line.
import { homedir } from "node:os";
import path from "node:path";
import { z } from "zod";

const Environment = z.object({
  /** The server to speak to, instead of the one that was signed in to. */
  SPOTTER_URL: z
    .url({ protocol: /^https?$/, error: "must be an http or https address" })
    .optional(),
  /** The port of a server on this machine, as the server itself reads it; SPOTTER_URL goes before it. */
  SPOTTER_PORT: z
    .string()
    .regex(/^[1-9][0-9]{0,4}$/, "must be a port number")
    .refine((text) => Number(text) <= 65_535, "must be at most 65535")
    .optional(),
  /** The data folder of a server on this machine: who is signed in nowhere is taken to that server. */
  SPOTTER_HOME: z.string().min(1).optional(),
  /** An API token, instead of the one that sign-in keeps. */
  SPOTTER_TOKEN: z.string().min(1).optional(),
  /** Where `spotter/config.json` lies; default `~/.config`. */
  XDG_CONFIG_HOME: z.string().optional(),
  /** Set to anything: no colours. */
  NO_COLOR: z.string().optional(),
  LC_ALL: z.string().optional(),
  LC_MESSAGES: z.string().optional(),
  LANG: z.string().optional(),
});

export type Language = "en" | "zh";

export interface Settings {
  readonly server: string | undefined;
  readonly token: string | undefined;
  /** Absolute. */
  readonly home: string;
  readonly configFolder: string;
  readonly noColor: boolean;
  readonly language: Language;
}

export class SettingProblem extends Error {}

/** @throws SettingProblem naming the variable */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const result = Environment.safeParse(withoutEmpty(environment));
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new SettingProblem(`${String(issue?.path[0])} ${issue?.message}`);
  }
  const {
    SPOTTER_URL,
    SPOTTER_PORT,
    SPOTTER_HOME,
    SPOTTER_TOKEN,
    XDG_CONFIG_HOME,
    NO_COLOR,
    ...locale
  } = result.data;
  const language = locale.LC_ALL ?? locale.LC_MESSAGES ?? locale.LANG ?? "";
  return {
    server:
      SPOTTER_URL ?? (SPOTTER_PORT === undefined ? undefined : `http://127.0.0.1:${SPOTTER_PORT}`),
    home: path.resolve((SPOTTER_HOME ?? ".spotter").replace(/^~(?=\/|$)/, homedir())),
    token: SPOTTER_TOKEN,
    configFolder: path.join(XDG_CONFIG_HOME ?? path.join(homedir(), ".config"), "spotter"),
    noColor: NO_COLOR !== undefined,
    language: language.startsWith("zh") ? "zh" : "en",
  };
}

/** A variable that is set to nothing counts as not set. */
function withoutEmpty(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
}
