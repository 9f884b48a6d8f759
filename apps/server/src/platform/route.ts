// Binds a contract endpoint to Fastify: checks who calls, parses what came in, sends what goes out.
import type { AnyEndpoint, Endpoint, Role } from "@spotter/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { invalidRequest } from "./errors.ts";

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

/** Binds routes of one server; made once in `app.ts` and handed to every room's `routes.ts`. */
export class Router {
  readonly #app: FastifyInstance;
  readonly #access: AccessControl;
  /** Every endpoint that was bound, for the start-up check that none of the contract is missing. */
  readonly bound: AnyEndpoint[] = [];

  constructor(app: FastifyInstance, access: AccessControl) {
    this.#app = app;
    this.#access = access;
  }

  /** An endpoint that anyone may call. */
  public<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    handler: PublicHandler<z.output<P>, z.output<Q>, z.output<B>, Answer<R>>,
  ): void {
    this.#bind(endpoint, ["public", "worker"], async (input) => handler(input));
  }

  /** An endpoint for any account, or for server administrators when its access says so. */
  signedIn<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    handler: Handler<z.output<P>, z.output<Q>, z.output<B>, Answer<R>>,
  ): void {
    this.#bind(endpoint, ["signed-in", "server-admin"], async (input) => {
      const caller = await this.#access.identify(input.request);
      if (endpoint.access === "server-admin") this.#access.requireServerAdmin(caller);
      return handler({ ...input, caller });
    });
  }

  /**
   * An endpoint that needs a role in the project it concerns.
   * @param projectOf finds that project; throws the room's not-found error when there is none
   */
  inProject<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    projectOf: (input: {
      params: z.output<P>;
      query: z.output<Q>;
      body: z.output<B>;
      caller: Caller;
    }) => Promise<number> | number,
    handler: Handler<z.output<P>, z.output<Q>, z.output<B>, Answer<R>>,
  ): void {
    this.#bind(endpoint, ["project-viewer", "project-member", "project-admin"], async (input) => {
      const caller = await this.#access.identify(input.request);
      const role = endpoint.access.slice("project-".length) as Role;
      const projectId = await projectOf({
        params: input.params,
        query: input.query,
        body: input.body,
        caller,
      });
      this.#access.requireRole(caller, projectId, role);
      return handler({ ...input, caller });
    });
  }

  #bind<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    allowed: readonly string[],
    run: (input: RouteInput<z.output<P>, z.output<Q>, z.output<B>>) => Promise<unknown>,
  ): void {
    if (!allowed.includes(endpoint.access))
      throw new Error(
        `${endpoint.name} says ${endpoint.access}, but is bound for ${allowed.join(" or ")}`,
      );
    this.bound.push(endpoint as unknown as AnyEndpoint);
    this.#app.route({
      method: endpoint.method,
      url: endpoint.path,
      ...(endpoint.stream === "websocket" ? { websocket: true } : {}),
      ...(endpoint.rateLimit === undefined
        ? {}
        : {
            config: {
              rateLimit: {
                max: endpoint.rateLimit.max,
                timeWindow: endpoint.rateLimit.perSeconds * 1000,
              },
            },
          }),
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
    });
  }
}

function parse(schema: z.ZodType | undefined, value: unknown, place: string): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  throw invalidRequest(
    result.error.issues.map((issue) => ({
      path: [place, ...issue.path].join("."),
      message: issue.message,
    })),
  );
}
