// Binds a contract endpoint to Fastify: checks who calls, parses what came in, sends what goes out.
// Says what `config.rateLimit` is, wherever this file is read from.
import type {} from "@fastify/rate-limit";
import type { WebSocket } from "@fastify/websocket";
import {
  type Access,
  type AnyEndpoint,
  type Endpoint,
  issueWords,
  type Role,
} from "@spotter/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type { z } from "zod";
import { invalidRequest, SpotterError, safeParse } from "./errors.ts";

/** Who calls, as the auth room found out. */
export interface Caller {
  readonly userId: number;
  readonly userName: string;
  readonly isAdmin: boolean;
  readonly via: "session" | "token";
  /** Roles by project id; a server administrator is admin everywhere. */
  readonly roles: ReadonlyMap<number, Role>;
  /** The session or token, for "sign out" and rate limits. */
  readonly credentialId: number;
}

/** The auth room's answer to "who is this, and may they?"; queue answers for worker tokens. */
export interface AccessControl {
  /** Throws `not-signed-in` or `token-invalid`. */
  identify(request: FastifyRequest): Promise<Caller>;
  /** Throws `role-too-low`. */
  requireRole(caller: Caller, projectId: number, role: Role): void;
  requireServerAdmin(caller: Caller): void;
}

/** A worker's call, as the queue room found out from the attempt's token. */
export interface WorkerCaller {
  readonly jobId: number;
  readonly attempt: number;
}

export interface RouteInput<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** What a route of each access kind is given. */
export type Handler<P, Q, B, R> = (
  input: RouteInput<P, Q, B> & { caller: Caller },
) => Promise<R> | R;
type PublicHandler<P, Q, B, R> = (input: RouteInput<P, Q, B>) => Promise<R> | R;

type Answer<R extends z.ZodType> = R extends z.ZodUndefined ? unknown : z.input<R>;

/** Finds the project that a call concerns; throws the room's not-found error when there is none. */
type ProjectOf<P, Q, B> = (input: {
  params: P;
  query: Q;
  body: B;
  caller: Caller;
}) => Promise<number> | number;

/** A WebSocket's handler; the caller's rights were checked before the upgrade. */
export type SocketHandler<P, Q> = (
  socket: WebSocket,
  input: { params: P; query: Q; caller: Caller; request: FastifyRequest },
) => void;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether an upgrade may be asked for here. */
    isWebSocket?: boolean;
  }
}

/** Binds routes of one server; made once in `app.ts` and handed to every room's `routes.ts`. */
export class Router {
  readonly #app: FastifyInstance;
  readonly #access: AccessControl;
  /** Who calls is found out before the body is read, so that a stranger cannot make the server read one. */
  readonly #callers = new WeakMap<FastifyRequest, Caller>();
  /** Every endpoint that was bound, for the start-up check that none of the contract is missing. */
  readonly bound: AnyEndpoint[] = [];

  constructor(app: FastifyInstance, access: AccessControl) {
    this.#app = app;
    this.#access = access;
  }

  /** An endpoint that anyone may call, or one for workers, whose token the queue room checks. */
  public<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    handler: PublicHandler<z.output<P>, z.output<Q>, z.output<B>, Answer<R>>,
  ): void {
    this.#bind(endpoint, ["public", "worker"], {}, async (input) => handler(input));
  }

  /** An endpoint for any account, or for server administrators when its access says so. */
  signedIn<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    handler: Handler<z.output<P>, z.output<Q>, z.output<B>, Answer<R>>,
  ): void {
    const needsAdmin = endpoint.access === "server-admin";
    const onRequest = async (request: FastifyRequest) => {
      const caller = await this.#identify(request);
      if (needsAdmin) this.#access.requireServerAdmin(caller);
    };
    this.#bind(endpoint, ["signed-in", "server-admin"], { onRequest }, async (input) =>
      handler({ ...input, caller: this.#callerOf(input.request) }),
    );
  }

  /** An endpoint that needs a role in the project it concerns. */
  inProject<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    projectOf: ProjectOf<z.output<P>, z.output<Q>, z.output<B>>,
    handler: Handler<z.output<P>, z.output<Q>, z.output<B>, Answer<R>>,
  ): void {
    const onRequest = async (request: FastifyRequest) => {
      await this.#identify(request);
    };
    this.#bind(endpoint, PROJECT_ACCESS, { onRequest }, async (input) => {
      const caller = this.#callerOf(input.request);
      const projectId = await projectOf({ ...input, caller });
      this.#access.requireRole(caller, projectId, roleOf(endpoint));
      return handler({ ...input, caller });
    });
  }

  /**
   * A WebSocket. Whatever is wrong with the call is answered over HTTP, before the upgrade.
   * @param projectOf null where any account may connect
   */
  socket<P extends z.ZodType, Q extends z.ZodType>(
    endpoint: Endpoint<P, Q, z.ZodUndefined, z.ZodUndefined>,
    projectOf: ProjectOf<z.output<P>, z.output<Q>, undefined> | null,
    handler: SocketHandler<z.output<P>, z.output<Q>>,
  ): void {
    this.bound.push(endpoint as unknown as AnyEndpoint);
    const read = (request: FastifyRequest) => ({
      params: parse(endpoint.params, request.params, "path") as z.output<P>,
      query: parse(endpoint.query, request.query, "query") as z.output<Q>,
      caller: this.#callerOf(request),
    });
    this.#app.route({
      method: "GET",
      url: endpoint.path,
      config: { isWebSocket: true },
      onRequest: async (request) => {
        await this.#identify(request);
      },
      preHandler: async (request) => {
        const input = read(request);
        if (projectOf === null) return;
        const projectId = await projectOf({ ...input, body: undefined });
        this.#access.requireRole(input.caller, projectId, roleOf(endpoint));
      },
      handler: () => {
        throw new SpotterError(
          "invalid-request",
          "This address speaks WebSocket: ask for an upgrade.",
        );
      },
      wsHandler: (socket, request) => handler(socket, { ...read(request), request }),
    });
  }

  async #identify(request: FastifyRequest): Promise<Caller> {
    const caller = await this.#access.identify(request);
    this.#callers.set(request, caller);
    return caller;
  }

  #callerOf(request: FastifyRequest): Caller {
    const caller = this.#callers.get(request);
    if (caller === undefined)
      throw new Error(`${request.url} was handled before its caller was known`);
    return caller;
  }

  #bind<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    allowed: readonly Access[],
    hooks: { onRequest?: (request: FastifyRequest) => Promise<void> },
    run: (input: RouteInput<z.output<P>, z.output<Q>, z.output<B>>) => Promise<unknown>,
  ): void {
    if (!allowed.includes(endpoint.access))
      throw new Error(
        `${endpoint.name} says ${endpoint.access}, but is bound for ${allowed.join(" or ")}`,
      );
    this.bound.push(endpoint as unknown as AnyEndpoint);
    const options: RouteOptions = {
      method: endpoint.method,
      url: endpoint.path,
      ...hooks,
      ...(endpoint.maxBodyBytes === undefined ? {} : { bodyLimit: endpoint.maxBodyBytes }),
      ...(endpoint.rateLimit === undefined
        ? {}
        : { config: { rateLimit: limitOf(endpoint.rateLimit) } }),
      handler: async (request, reply) => {
        const input = {
          params: parse(endpoint.params, request.params, "path"),
          query: parse(endpoint.query, request.query, "query"),
          body: parse(endpoint.body, request.body, "body"),
          request,
          reply,
        } as RouteInput<z.output<P>, z.output<Q>, z.output<B>>;
        const answer = await run(input);
        // A handler of a stream or a file has taken the reply over.
        if (reply.sent || endpoint.response === undefined) return reply;
        return reply.code(endpoint.status ?? 200).send(answer);
      },
    };
    this.#app.route(options);
  }
}

const PROJECT_ACCESS: readonly Access[] = ["project-viewer", "project-member", "project-admin"];

/** `project-member` asks for the role member. */
function roleOf(endpoint: { access: Access }): Role {
  return endpoint.access.slice("project-".length) as Role;
}

function limitOf(limit: { max: number; perSeconds: number }): { max: number; timeWindow: number } {
  return { max: limit.max, timeWindow: limit.perSeconds * 1000 };
}

function parse(schema: z.ZodType | undefined, value: unknown, place: string): unknown {
  if (schema === undefined) return undefined;
  const result = safeParse(schema, value ?? {}, place);
  if (result.success) return result.data;
  throw invalidRequest(
    result.error.issues.map((issue) => ({
      path: [place, ...issue.path].join("."),
      message: issueWords(issue),
    })),
  );
}
