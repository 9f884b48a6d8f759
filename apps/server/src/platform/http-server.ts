// Fastify with everything that holds for every request: guard, security headers, ids, errors, body limits, web pages.
import { randomBytes } from "node:crypto";
import cookie from "@fastify/cookie";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import websocket from "@fastify/websocket";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { answerError } from "./error-handler.ts";
import { SpotterError } from "./errors.ts";
import type { Log } from "./log.ts";
import { guardNetwork, type NetworkGuardSettings } from "./network-guard.ts";
import { RateWindows } from "./rate-window.ts";
import { answerUnreadable } from "./raw-answer.ts";
import { endSlowBodies, type SlowBodyLimits } from "./slow-bodies.ts";
import { serveWebFiles } from "./web-files.ts";

export interface HttpServerOptions {
  readonly settings: NetworkGuardSettings & {
    readonly maxBodyBytes: number;
    readonly trustProxy: boolean;
    readonly secureCookies: boolean;
  };
  readonly log: Log;
  /** Signs cookies. */
  readonly cookieKey: string;
  readonly webFolder: string | null;
  /** True once the server is on its way down: new requests are refused. */
  readonly isClosing: () => boolean;
  /** Others in tests. */
  readonly slowness?: SlownessLimits;
}

/** How slow a client may be before it loses its connection. */
export interface SlownessLimits {
  readonly headersMs: number;
  readonly body: SlowBodyLimits;
}

// 512 bytes a second: a sixteenth of a 64 kbit/s line.
const SLOWNESS: SlownessLimits = {
  headersMs: 30_000,
  body: { windowMs: 30_000, minBytes: 16 * 1024 },
};
/** Below the files that a process may usually open; each connection is one. */
const MAX_CONNECTIONS = 10_000;

const MAX_SOCKET_MESSAGE_BYTES = 64 * 1024;
const KEEP_ALIVE_MS = 65_000;
// Uploads and streams may take their time while they move: see slow-bodies.ts.
const REQUEST_TIMEOUT_MS = 0;

export async function makeHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { settings, log, isClosing, slowness = SLOWNESS } = options;
  const app = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: settings.maxBodyBytes,
    // One hop: the address that our own proxy saw. Whatever a client wrote into X-Forwarded-For before that is its own
    // invention, and would give it a fresh login limit with every call.
    trustProxy: settings.trustProxy && ((_address: string, hop: number) => hop === 0),
    genReqId: makeRequestIds(),
    requestIdHeader: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: slowness.headersMs,
      connectionsCheckingInterval: slowness.headersMs / 4,
    },
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 500 },
    // A HEAD of a stream would never end.
    exposeHeadRoutes: false,
    // Nothing logs through the request: a child for each would be made for nobody.
    childLoggerFactory: (logger) => logger,
    // Routes bring their own zod schemas; Fastify's compilers would cost 2 MB of memory for nothing.
    schemaController: { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) => {
      answerError(log, error, request, reply);
    },
  });
  app.setErrorHandler((error, request, reply) => answerError(log, error, request, reply));
  app.addHook("onRequest", async (request, reply) => {
    reply.raw.setHeader("x-request-id", request.id);
    if (isClosing()) throw new SpotterError("shutting-down");
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  endSlowBodies(app, slowness.body);
  guardNetwork(app, settings);
  await setSecurityHeaders(app, settings.secureCookies);
  await app.register(cookie, { secret: options.cookieKey });
  // Only endpoints that say so in the contract are limited; the key is the caller's address.
  await app.register(rateLimit, {
    global: false,
    store: RateWindows,
    errorResponseBuilder: (_request, { ttl }) =>
      new SpotterError("too-many-requests", undefined, {
        details: { retry_after_s: Math.ceil(ttl / 1000) },
      }),
  });
  await app.register(websocket, { options: { maxPayload: MAX_SOCKET_MESSAGE_BYTES } });
  refuseUpgradesElsewhere(app);
  chooseBodies(app);
  endRefusedUpgrades(app);
  logAnswers(app, log);
  await serveWebFiles(app, options.webFolder);
  return app;
}

function refuse(): never {
  throw new Error("A route has a schema of Fastify's kind; ours are the contract's.");
}

// Unique across restarts, so that a line of an old log is never mistaken for a new one.
function makeRequestIds(): () => string {
  const start = randomBytes(4).toString("hex");
  let last = 0;
  return () => {
    last += 1;
    return `${start}-${last.toString(36)}`;
  };
}

// Helmet builds its headers anew for each request, a tenth of what a small one costs in all. They never change, so the
// first request's are kept.
async function setSecurityHeaders(app: FastifyInstance, hasTls: boolean): Promise<void> {
  await app.register(helmet, { global: false });
  let headers: [string, string][] | undefined;
  app.addHook("onRequest", async (_request, reply) => {
    if (headers === undefined) {
      const before = new Set(reply.raw.getHeaderNames());
      await reply.helmet(securityHeaders(hasTls));
      const after = Object.entries(reply.raw.getHeaders());
      headers = after.flatMap(([name, value]) => (before.has(name) ? [] : [[name, String(value)]]));
    } else for (const [name, value] of headers) reply.raw.setHeader(name, value);
  });
}

function securityHeaders(hasTls: boolean) {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // Element Plus and the charts place things by style attributes.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", "data:", "blob:"],
        // Recordings that a person has chosen are played before they are sent.
        mediaSrc: ["'self'", "blob:"],
        fontSrc: ["'self'", "data:"],
        connectSrc: ["'self'"],
        workerSrc: ["'self'", "blob:"],
        objectSrc: ["'none'"],
        baseUri: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: hasTls,
    crossOriginEmbedderPolicy: false,
    // Meaningless without TLS, and browsers complain about it.
    crossOriginOpenerPolicy: hasTls,
    originAgentCluster: false,
    referrerPolicy: { policy: "same-origin" as const },
  };
}

// JSON, and uploads: those are handed on as they come in, and whoever takes them counts the bytes.
function chooseBodies(app: FastifyInstance): void {
  app.removeContentTypeParser("text/plain");
  app.addContentTypeParser(
    ["application/zip", "application/octet-stream"],
    (_request, payload, done) => done(null, payload),
  );
}

// The plugin would shake hands on any address, unknown ones too, and close the socket afterwards.
function refuseUpgradesElsewhere(app: FastifyInstance): void {
  app.addHook("onRequest", async (request) => {
    if (request.ws && request.routeOptions.config.isWebSocket !== true)
      throw new SpotterError("route-not-found", "This address does not speak WebSocket.");
  });
}

// Node no longer reads requests from a socket that asked to be upgraded; kept open it would hang its next request.
function endRefusedUpgrades(app: FastifyInstance): void {
  app.addHook("onSend", async (request, reply) => {
    if (request.headers.upgrade === undefined) return;
    reply.header("connection", "close");
    reply.raw.once("finish", () => request.raw.socket.end());
  });
}

function logAnswers(app: FastifyInstance, log: Log): void {
  app.addHook("onResponse", async (request, reply) => {
    log.debug(
      {
        request_id: request.id,
        method: request.method,
        path: request.url.split("?", 1)[0],
        status: reply.statusCode,
        duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      "Answered.",
    );
  });
}
