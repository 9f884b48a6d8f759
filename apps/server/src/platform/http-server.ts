// Fastify with everything that holds for every request: guard, security headers, ids, errors, body limits, web pages.
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import cookie from "@fastify/cookie";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import websocket from "@fastify/websocket";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { answerError } from "./error-handler.ts";
import { SpotterError } from "./errors.ts";
import type { Log } from "./log.ts";
import { guardNetwork, type NetworkGuardSettings } from "./network-guard.ts";
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
}

const MAX_SOCKET_MESSAGE_BYTES = 64 * 1024;
const KEEP_ALIVE_MS = 65_000;
const REQUEST_TIMEOUT_MS = 0;

export async function makeHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { settings, log, isClosing } = options;
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
    // Uploads and long polls may take their time; slow headers may not (Node's own 60 s).
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 500 },
    // A HEAD of a stream would never end.
    exposeHeadRoutes: false,
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
  guardNetwork(app, settings);
  await app.register(helmet, securityHeaders(settings.secureCookies));
  await app.register(cookie, { secret: options.cookieKey });
  // Only endpoints that say so in the contract are limited; the key is the caller's address.
  await app.register(rateLimit, {
    global: false,
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

// What came in is not HTTP that Node can read: there is no request yet, only a socket.
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return;
  const isLong = error.code === "HPE_HEADER_OVERFLOW";
  const message = isLong ? "The request's headers are too long." : "This is not an HTTP request.";
  const body = JSON.stringify(new SpotterError("invalid-request", message).toEnvelope());
  const status = isLong ? "431 Request Header Fields Too Large" : "400 Bad Request";
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
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

function securityHeaders(hasTls: boolean) {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // Element Plus and the charts place things by style attributes.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", "data:", "blob:"],
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
