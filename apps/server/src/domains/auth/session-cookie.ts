// The session cookie: http-only, signed with the server's own key, never sent from another site's form.
import type { CookieSerializeOptions } from "@fastify/cookie";
import type { FastifyReply, FastifyRequest } from "fastify";

const NAME = "spotter_session";
/** Each costs a look into the database. */
const MAX_SESSIONS = 5;
export const SESSION_SECONDS = 30 * 24 * 3600;

export interface CookieSettings {
  /** Send it over HTTPS only; on behind a TLS proxy. */
  readonly secure: boolean;
}

export function setSessionCookie(
  reply: FastifyReply,
  secret: string,
  settings: CookieSettings,
): void {
  reply.setCookie(NAME, secret, { ...flags(settings), maxAge: SESSION_SECONDS });
}

export function clearSessionCookie(reply: FastifyReply, settings: CookieSettings): void {
  reply.clearCookie(NAME, flags(settings));
}

/**
 * A browser sends every cookie of the name that fits the address: another program on the same host, at another port
 * or path, may have set one before ours. Each is asked about, so that a foreign one cannot shut anybody out.
 * @returns the secrets of those that we signed, as they came
 */
export function readSessionCookies(request: FastifyRequest): string[] {
  const secrets = new Set<string>();
  for (const pair of request.headers.cookie?.split(";") ?? []) {
    const at = pair.indexOf("=");
    if (at < 0 || pair.slice(0, at).trim() !== NAME) continue;
    const opened = request.unsignCookie(decoded(pair.slice(at + 1).trim()));
    if (opened.valid) secrets.add(opened.value);
    if (secrets.size === MAX_SESSIONS) break;
  }
  return [...secrets];
}

// What is no percent-encoding was not written by us, and its signature says so.
function decoded(text: string): string {
  const bare = text.replace(/^"(.*)"$/, "$1");
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}

function flags(settings: CookieSettings): CookieSerializeOptions {
  return { path: "/", httpOnly: true, sameSite: "lax", secure: settings.secure, signed: true };
}
