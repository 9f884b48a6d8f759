// The session cookie: http-only, signed with the server's own key, never sent from another site's form.
import type { CookieSerializeOptions } from "@fastify/cookie";
import type { FastifyReply, FastifyRequest } from "fastify";

const NAME = "spotter_session";
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

/** @returns the session's secret, or undefined when the cookie is absent or its signature is wrong */
export function readSessionCookie(request: FastifyRequest): string | undefined {
  const signed = request.cookies[NAME];
  if (signed === undefined) return undefined;
  const opened = request.unsignCookie(signed);
  return opened.valid ? opened.value : undefined;
}

function flags(settings: CookieSettings): CookieSerializeOptions {
  return { path: "/", httpOnly: true, sameSite: "lax", secure: settings.secure, signed: true };
}
