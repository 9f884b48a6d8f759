// Knows which attempt a worker's token belongs to. A token can do nothing but the worker protocol of its own attempt.
import { createHash, randomBytes } from "node:crypto";
import type { JobKind } from "@spotter/contract";
import type { FastifyRequest } from "fastify";
import { attemptEnded, attemptSuperseded, jobNotFound, workerTokenInvalid } from "./errors.ts";
import type { QueueStore } from "./store.ts";

export interface AttemptIdentity {
  readonly jobId: number;
  readonly attempt: number;
  readonly projectId: number;
  readonly kind: JobKind;
}

/** A closed attempt may still ask about batches whose answer was lost; after a day nobody waits for one. */
const AFTERLIFE_S = 86_400;
/** Far above the attempts that run at once; a full cache is simply begun anew. */
const MAX_CACHED = 10_000;

export function newAttemptToken(): { secret: string; hash: string } {
  const secret = `spw_${randomBytes(32).toString("base64url")}`;
  return { secret, hash: hashToken(secret) };
}

export class AttemptTokens {
  readonly #store: QueueStore;
  readonly #now: () => number;
  /** Every batch carries its token: the row is read once. Whether the attempt is closed is the guard's to know. */
  readonly #known = new Map<string, AttemptIdentity>();

  constructor(store: QueueStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Throws `worker-token-invalid`, and `job-not-found` for another job than the token's. */
  async identify(request: FastifyRequest, jobId: number): Promise<AttemptIdentity> {
    const header = request.headers.authorization;
    if (header === undefined || !header.startsWith("Bearer spw_")) throw workerTokenInvalid();
    const hash = hashToken(header.slice("Bearer ".length));
    const identity = this.#known.get(hash) ?? (await this.#find(hash));
    if (identity.jobId !== jobId) throw jobNotFound(jobId);
    return identity;
  }

  /**
   * For calls other than events, whose guard knows by itself: the attempt must be the job's current one, with its
   * books open. Throws `attempt-superseded` and `attempt-ended` besides.
   */
  async identifyCurrent(request: FastifyRequest, jobId: number): Promise<AttemptIdentity> {
    const identity = await this.identify(request, jobId);
    const { attempt } = identity;
    const [job, row] = await Promise.all([
      this.#store.job(jobId),
      this.#store.attempt(jobId, attempt),
    ]);
    if (job === undefined || row === undefined) throw jobNotFound(jobId);
    if (attempt < job.current_attempt) throw attemptSuperseded(attempt, job.current_attempt);
    if (row.closed_at !== null) throw attemptEnded();
    return identity;
  }

  async #find(hash: string): Promise<AttemptIdentity> {
    const row = await this.#store.attemptByToken(hash);
    if (row === undefined) throw workerTokenInvalid();
    if (row.closed_at !== null && row.closed_at < this.#now() - AFTERLIFE_S)
      throw workerTokenInvalid();
    const identity = {
      jobId: row.job_id,
      attempt: row.attempt,
      projectId: row.project_id,
      kind: row.kind,
    };
    if (this.#known.size >= MAX_CACHED) this.#known.clear();
    this.#known.set(hash, identity);
    return identity;
  }
}

/** Tokens are 256 random bits: a plain hash is as good as a slow one, and this is on the hot path. */
function hashToken(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
