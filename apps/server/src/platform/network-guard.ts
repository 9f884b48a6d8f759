// Who may talk to the server at all: the Host header must name it (a page that re-binds its own name to 127.0.0.1
// must not get in), and pages of other origins must be allowed by SPOTTER_ALLOWED_ORIGINS.
import { isIP } from "node:net";
import os from "node:os";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { SpotterError } from "./errors.ts";

export interface NetworkGuardSettings {
  readonly host: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly advertiseUrl: string | undefined;
}

const PREFLIGHT_SECONDS = "600";
const EXPOSED = "x-request-id, retry-after, content-disposition";

/** Checks every request and every WebSocket upgrade before anything else does. */
export function guardNetwork(app: FastifyInstance, settings: NetworkGuardSettings): void {
  const names = ownNames(settings);
  const proxied = proxiedOrigins(settings);
  const origins = new Set(settings.allowedOrigins);
  app.addHook("onRequest", async (request, reply) => {
    const host = hostName(request.headers.host);
    if (host === undefined || !isOwnHost(host, names)) throw new SpotterError("host-not-allowed");
    const { origin } = request.headers;
    if (origin === undefined || isOwnOrigin(origin, request.headers.host, proxied)) return;
    if (!origins.has(origin)) throw new SpotterError("origin-not-allowed");
    allowOrigin(reply, origin);
    if (isPreflight(request)) return answerPreflight(request, reply);
  });
}

function ownNames({ host, allowedHosts, advertiseUrl }: NetworkGuardSettings): Set<string> {
  const names = [host, os.hostname(), ...allowedHosts];
  if (advertiseUrl !== undefined) names.push(new URL(advertiseUrl).hostname);
  return new Set(names.map((name) => name.toLowerCase()));
}

// A proxy may speak to us by another name than the browser used. Only the addresses that were told to us are ours
// then, port and all: any other port of the same machine belongs to another program.
function proxiedOrigins({ allowedHosts, advertiseUrl }: NetworkGuardSettings): Set<string> {
  const addresses = allowedHosts.flatMap((name) => [`https://${name}`, `http://${name}`]);
  if (advertiseUrl !== undefined) addresses.push(advertiseUrl);
  return new Set(
    addresses.filter((address) => URL.canParse(address)).map((text) => new URL(text).origin),
  );
}

/** Host without port; undefined when it is no host. */
export function hostName(header: string | undefined): string | undefined {
  if (header === undefined || !/^[a-z0-9._:[\]-]+$/i.test(header)) return undefined;
  const match = /^(\[[0-9a-f:.]+\]|[^:]+)(:[0-9]{1,5})?$/i.exec(header);
  return match?.[1]?.toLowerCase();
}

// An address cannot be re-bound, so any is harmless; a name must be known.
function isOwnHost(host: string, names: ReadonlySet<string>): boolean {
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  return isIP(host.replace(/^\[|\]$/g, "")) !== 0 || names.has(host);
}

function isOwnOrigin(
  origin: string,
  hostHeader: string | undefined,
  proxied: ReadonlySet<string>,
): boolean {
  if (!URL.canParse(origin)) return false;
  const { host, protocol } = new URL(origin);
  if (protocol !== "http:" && protocol !== "https:") return false;
  if (proxied.has(`${protocol}//${host}`)) return true;
  const address = `${protocol}//${hostHeader}`;
  return URL.canParse(address) && new URL(address).host === host;
}

// Set on the raw answer, so that streams, which take it over, have it too.
function allowOrigin(reply: FastifyReply, origin: string): void {
  reply.raw.setHeader("access-control-allow-origin", origin);
  reply.raw.setHeader("access-control-allow-credentials", "true");
  reply.raw.setHeader("access-control-expose-headers", EXPOSED);
  reply.raw.setHeader("vary", "Origin");
}

function isPreflight(request: FastifyRequest): boolean {
  return request.method === "OPTIONS" && "access-control-request-method" in request.headers;
}

function answerPreflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .headers({
      "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers":
        request.headers["access-control-request-headers"] ?? "authorization, content-type",
      "access-control-max-age": PREFLIGHT_SECONDS,
    })
    .code(204)
    .send();
}
