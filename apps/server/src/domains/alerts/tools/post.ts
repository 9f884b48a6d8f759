// Sends one POST to somebody else's server, carefully: resolves the name itself, connects only to the address that it
// has checked (so that a name cannot turn to another address meanwhile), follows no redirect, and reads little.
import { lookup as resolveName } from "node:dns/promises";
import http from "node:http";
import https from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { hostOf, isPublicAddress } from "./address-guard.ts";

export interface PostAnswer {
  readonly status: number;
  /** Its first few thousand characters. */
  readonly text: string;
}

export interface PostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export type Post = (options: PostOptions) => Promise<PostAnswer>;

/** Nothing was sent, or no whole answer came; the message says why, in a sentence for people. */
export class PostFailure extends Error {
  override readonly name = "PostFailure";
}

const MAX_ANSWER_BYTES = 4_096;

interface Checked {
  readonly address: string;
  readonly family: number;
}

/** Throws PostFailure. Any answer with a status, an error or a redirect too, is an answer. */
export const post: Post = async (options) => {
  const limit = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
  const url = new URL(options.url);
  try {
    const checked = await abortable(resolveChecked(hostOf(url), options.allowPrivate), signal);
    return await send(url, checked, options, signal);
  } catch (error) {
    if (error instanceof PostFailure) throw error;
    if (limit.aborted)
      throw new PostFailure(`No answer within ${options.timeoutMs / 1000} seconds.`);
    const cause = error as NodeJS.ErrnoException;
    throw new PostFailure(`The receiver could not be reached: ${cause.code ?? cause.message}.`);
  }
};

/** The first address of a host; refused when any of its addresses is not public. */
async function resolveChecked(host: string, allowPrivate: boolean): Promise<Checked> {
  const family = isIP(host);
  const found = family === 0 ? await resolveName(host, { all: true }) : [{ address: host, family }];
  const [first] = found;
  if (first === undefined) throw new PostFailure(`The name ${host} has no address.`);
  if (!allowPrivate && found.some(({ address }) => !isPublicAddress(address)))
    throw new PostFailure(
      "Refused: the receiver has a private, loopback or link-local address (SPOTTER_ALERT_PRIVATE_TARGETS).",
    );
  return first;
}

// A look-up cannot be cancelled; it is left behind instead.
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error("aborted"));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function send(
  url: URL,
  { address, family }: Checked,
  { headers, body }: PostOptions,
  signal: AbortSignal,
): Promise<PostAnswer> {
  const lookup: LookupFunction = (_host, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
  const { request } = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      ...{ method: "POST", lookup, signal, agent: false },
      headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
    });
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      let numBytes = 0;
      const finish = () => {
        const text = Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString("utf8");
        resolve({ status: incoming.statusCode ?? 0, text });
      };
      incoming.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        numBytes += chunk.length;
        if (numBytes < MAX_ANSWER_BYTES) return;
        finish();
        outgoing.destroy();
      });
      incoming.on("end", finish);
      incoming.on("error", reject);
    });
    outgoing.end(body);
  });
}
