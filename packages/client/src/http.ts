// Calls contract endpoints over HTTP: typed in, typed out, failures as one class.
import { type Endpoint, ErrorEnvelope } from "@spotter/contract";
import type { z } from "zod";

export interface ClientOptions {
  /** `http://127.0.0.1:8888`; empty in the browser, where the page's own origin is meant. */
  baseUrl: string;
  /** API token; without one the browser's session cookie speaks. */
  token?: string;
  /** Replaceable for tests; the platform's own by default. */
  fetch?: typeof fetch;
}

/** A failure that the server named, or `unreachable` when it did not answer. */
export class ApiError extends Error {
  readonly code: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly details: Record<string, unknown>;
  /** What the server's `Retry-After` said, in seconds. */
  readonly retryAfterS: number | null;

  constructor(
    code: string,
    status: number,
    message: string,
    details: Record<string, unknown> = {},
    cause?: unknown,
    retryAfterS: number | null = null,
  ) {
    super(message, { cause });
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.details = details;
    this.retryAfterS = retryAfterS;
  }

  /** Whether the same call may succeed later: no answer, an overloaded or restarting server, a proxy's 5xx. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

type Input<P, Q, B> = (P extends z.ZodUndefined
  ? { params?: undefined }
  : P extends z.ZodType
    ? { params: { [K in keyof z.input<P>]: string | number } }
    : never) &
  (Q extends z.ZodUndefined
    ? { query?: undefined }
    : Q extends z.ZodType
      ? { query?: z.input<Q> }
      : never) &
  (B extends z.ZodUndefined
    ? { body?: undefined }
    : B extends z.ZodType
      ? { body: z.input<B> }
      : never);

/** The typed HTTP client; one for each server and person. */
export class HttpClient {
  readonly options: ClientOptions;

  constructor(options: ClientOptions) {
    this.options = options;
  }

  /**
   * Calls an endpoint and returns its JSON answer.
   * @example const run = await client.call(getRun, { params: { run_id: 42 } });
   * @throws ApiError
   */
  async call<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
    endpoint: Endpoint<P, Q, B, R>,
    input: Input<P, Q, B>,
    init: { signal?: AbortSignal } = {},
  ): Promise<z.output<R>> {
    const body =
      "body" in input && input.body !== undefined ? JSON.stringify(input.body) : undefined;
    const response = await this.request(endpoint, input as { params?: object; query?: object }, {
      ...init,
      body,
      contentType: "application/json",
    });
    const text = await this.#bodyOf(response, init.signal);
    const answer = safeJson(text);
    if (answer === undefined) throw unexpectedAnswer(response, text);
    return answer as z.output<R>;
  }

  /** Calls an endpoint and returns the raw answer: for streams, files and uploads. */
  async request(
    endpoint: { method: string; path: string },
    input: { params?: object; query?: object },
    init: {
      signal?: AbortSignal;
      body?: RequestInit["body"];
      contentType?: string;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Response> {
    const headers: Record<string, string> = { accept: "application/json", ...init.headers };
    if (init.body !== undefined && init.contentType !== undefined)
      headers["content-type"] = init.contentType;
    if (this.options.token !== undefined) headers.authorization = `Bearer ${this.options.token}`;
    const send = this.options.fetch ?? fetch;
    let response: Response;
    try {
      response = await send(this.url(endpoint.path, input), {
        method: endpoint.method,
        headers,
        body: init.body ?? null,
        signal: init.signal ?? null,
        credentials: "same-origin",
        ...(init.body instanceof ReadableStream ? { duplex: "half" } : {}),
      } as RequestInit);
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw this.#unreachable(error);
    }
    if (!response.ok) throw failureOf(response, await this.#bodyOf(response, init.signal));
    return response;
  }

  async #bodyOf(response: Response, signal: AbortSignal | undefined): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw this.#unreachable(error);
    }
  }

  #unreachable(cause: unknown): ApiError {
    const server = this.options.baseUrl || "this address";
    return new ApiError("unreachable", 0, `The server at ${server} does not answer.`, {}, cause);
  }

  /** The whole address of an endpoint, for links and sockets. */
  url(path: string, input: { params?: object; query?: object }): string {
    const filled = path.replace(/:([a-z0-9_]+)/g, (_, key: string) =>
      encodeURIComponent(String((input.params as Record<string, unknown> | undefined)?.[key])),
    );
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(input.query ?? {}))
      if (value !== undefined && value !== null) query.set(key, String(value));
    const text = query.toString();
    return `${this.options.baseUrl.replace(/\/+$/, "")}${filled}${text === "" ? "" : `?${text}`}`;
  }
}

function failureOf(response: Response, text: string): ApiError {
  const parsed = ErrorEnvelope.safeParse(safeJson(text));
  if (!parsed.success) return unexpectedAnswer(response, text);
  const { code, message, details } = parsed.data.error;
  return new ApiError(
    code,
    response.status,
    message,
    details ?? {},
    undefined,
    retryAfterOf(response),
  );
}

function unexpectedAnswer(response: Response, text: string): ApiError {
  return new ApiError(
    "unexpected-answer",
    response.status,
    `The server answered ${response.status} with something that is not of ours: ${text.slice(0, 200)}`,
    {},
    undefined,
    retryAfterOf(response),
  );
}

/** Seconds only; the other form, a date, is not one that our server sends. */
function retryAfterOf(response: Response): number | null {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : null;
}

/** A proxy's HTML page is no JSON; that is an answer too, not a crash. */
function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
