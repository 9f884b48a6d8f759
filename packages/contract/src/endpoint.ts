// What an endpoint is: one value that names its method, path, schemas and who may call it.
// The server binds it, the client calls it, OpenAPI and the access test read it.
import type { z } from "zod";

/**
 * Who may call an endpoint.
 * - `public`: anyone who reaches the server.
 * - `signed-in`: any account, by session cookie or API token.
 * - `project-viewer` / `project-member` / `project-admin`: that role or a higher one in the project that the call concerns.
 * - `server-admin`: the administrator of the whole server.
 * - `worker`: the token of one attempt at one job, and nothing else.
 */
export type Access =
  | "public"
  | "signed-in"
  | "project-viewer"
  | "project-member"
  | "project-admin"
  | "server-admin"
  | "worker";

export interface Endpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
> {
  /** The domain that owns it, as in DESIGN's table. */
  domain: string;
  /** `list-runs`: unique, verb first. */
  name: string;
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/api/runs/:run_id` */
  path: string;
  access: Access;
  /** One sentence for the reference. */
  summary: string;
  params?: Params;
  query?: Query;
  body?: Body;
  /** The JSON answer; absent for streams and files. */
  response?: Response;
  /** Success status, 200 unless told. */
  status?: number;
  /** Calls one address may make in a time; for endpoints that guess passwords or spend much. */
  rateLimit?: { max: number; perSeconds: number };
  /** Largest body it reads, where that is not the server's usual megabytes. */
  maxBodyBytes?: number;
  /** What comes instead of JSON. */
  stream?: "sse" | "websocket" | "file" | "upload";
}

export type AnyEndpoint = Endpoint<z.ZodType, z.ZodType, z.ZodType, z.ZodType>;

/** Every endpoint that was defined, in order of definition. */
export const endpoints: AnyEndpoint[] = [];

/**
 * Defines an endpoint and puts it into the list that OpenAPI and the access test walk.
 * @example
 * export const getRun = defineEndpoint({ domain: "runs", name: "get-run", method: "GET", path: "/api/runs/:run_id",
 *   access: "project-viewer", summary: "One run.", params: RunParams, response: Run });
 */
export function defineEndpoint<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Response extends z.ZodType = z.ZodUndefined,
>(endpoint: Endpoint<Params, Query, Body, Response>): Endpoint<Params, Query, Body, Response> {
  endpoints.push(endpoint as unknown as AnyEndpoint);
  return endpoint;
}

export type ParamsOf<E> =
  E extends Endpoint<infer P, z.ZodType, z.ZodType, z.ZodType> ? z.output<P> : never;
export type QueryOf<E> =
  E extends Endpoint<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.output<Q> : never;
export type QueryInputOf<E> =
  E extends Endpoint<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.input<Q> : never;
export type BodyOf<E> =
  E extends Endpoint<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.output<B> : never;
export type BodyInputOf<E> =
  E extends Endpoint<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.input<B> : never;
export type ResponseOf<E> =
  E extends Endpoint<z.ZodType, z.ZodType, z.ZodType, infer R> ? z.output<R> : never;
