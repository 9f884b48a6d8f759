// Brings deliveries to their targets: at least once, several at a time, with growing waits, until they are taken or
// given up. Beside the outbox and not in it: a receiver that is slow or away must not hold up the house's other news.
import querystring from "node:querystring";
import { Alert, type AlertDelivery } from "@spotter/contract";
import type { Log } from "../../platform/log.ts";
import { type DeliveriesStore, LONGEST_WAIT_S, type Outcome } from "./deliveries-store.ts";
import type { AlertStore } from "./store.ts";
import type { DeliveryRow, TargetRow } from "./tables.ts";
import { type Destination, isTaken, messageOf } from "./tools/messages.ts";
import { type Post, type PostAnswer, PostFailure } from "./tools/post.ts";
import type { SealedBox } from "./tools/sealed-box.ts";
import { toDelivery } from "./views.ts";

export interface CourierParts {
  readonly store: AlertStore;
  readonly deliveries: DeliveriesStore;
  readonly box: SealedBox;
  readonly log: Log;
  readonly now: () => number;
  readonly post: Post;
  readonly allowPrivate: boolean;
  /** Where people reach this server, without a slash at the end. */
  readonly baseUrl: () => string;
  readonly version: string;
}

export const MAX_TRIES = 8;
/** 1 s, 4 s, 16 s … one hour: a receiver may be away for more than an hour before a delivery is given up. */
export const waitAfterTry = (numTries: number): number =>
  Math.min(LONGEST_WAIT_S, 4 ** (numTries - 1));

const TIMEOUT_MS = 5_000;
const LEASE_SECONDS = 60;
const MAX_AT_ONCE = 8;
const POLL_MS = 1_000;
const MAX_ANSWER_CHARACTERS = 500;
/** Shorter pieces of an address are words, which answers may hold. */
const MIN_SECRET_LENGTH = 8;

type Try = { readonly isTaken: boolean; readonly status: number | null; readonly answer: string };

export class Courier {
  readonly #parts: CourierParts;
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  #isKicked = false;

  constructor(parts: CourierParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#looking = this.#lookForDue();
    }, POLL_MS);
    this.#timer.unref();
    this.kick();
  }

  /** A look is a read; only what is due costs a transaction. Never rejects. */
  async #lookForDue(): Promise<void> {
    const { deliveries, now, log } = this.#parts;
    try {
      if (await deliveries.hasDue(now(), LEASE_SECONDS)) this.kick();
    } catch (error) {
      log.warn({ error }, "Deliveries of alerts could not be looked for.");
    }
  }

  /** What is under way is broken off and waits for the next start. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#looking;
    await this.#working;
  }

  /** Looks for due deliveries now. */
  kick(): void {
    if (this.#stopping.signal.aborted) return;
    this.#isKicked = true;
    this.#working ??= this.#sendAll().finally(() => {
      this.#working = undefined;
    });
  }

  /** For tests of a target: one try, at once. */
  async tryNow(delivery: DeliveryRow, target: TargetRow): Promise<AlertDelivery> {
    const now = this.#parts.now();
    const went = await this.#try(delivery, target);
    const outcome = {
      ...settledBy(went, { ...delivery, num_tries: MAX_TRIES - 1 }, now),
      num_tries: 1,
    };
    await this.#parts.deliveries.settle(delivery.id, outcome);
    return toDelivery({ ...delivery, ...outcome });
  }

  async #sendAll(): Promise<void> {
    const { deliveries, now, log } = this.#parts;
    try {
      while (this.#isKicked && !this.#stopping.signal.aborted) {
        this.#isKicked = false;
        const due = await deliveries.claim(now(), LEASE_SECONDS, MAX_AT_ONCE);
        await Promise.all(due.map((row) => this.#deliver(row)));
        if (due.length === MAX_AT_ONCE) this.#isKicked = true;
      }
    } catch (error) {
      // The database is away: the next look comes by itself.
      log.warn({ error }, "Deliveries of alerts could not be read or settled.");
    }
  }

  async #deliver(row: DeliveryRow): Promise<void> {
    const { store, deliveries, log, now } = this.#parts;
    const target = await store.target(row.target_id);
    if (target === undefined) {
      const gone = { isTaken: false, status: null, answer: "The target was removed." };
      return deliveries.settle(row.id, settledBy(gone, { num_tries: MAX_TRIES - 1 }, now()));
    }
    const went = await this.#try(row, target);
    if (this.#stopping.signal.aborted && !went.isTaken) return deliveries.putBack(row.id, now());
    const outcome = settledBy(went, row, now());
    if (outcome.state === "dead")
      log.warn(
        { delivery_id: row.id, target: target.name, answer: went.answer },
        "An alert could not be delivered and was given up.",
      );
    await deliveries.settle(row.id, outcome);
  }

  async #try(row: DeliveryRow, target: TargetRow): Promise<Try> {
    const { box, now, post, allowPrivate, baseUrl, version } = this.#parts;
    let destination: Destination;
    try {
      destination = box.open(target.sealed) as Destination;
    } catch (error) {
      // Another key than the one that sealed it: told where deliveries are looked at.
      this.#parts.log.error({ error, target_id: target.id }, "A target could not be unsealed.");
      const answer = "The address cannot be read: the server's key file has changed. Set it anew.";
      return { isTaken: false, status: null, answer };
    }
    const message = messageOf({
      ...{ kind: target.kind, language: target.language, destination, version },
      ...{ event: row.event, deliveryKey: row.delivery_key, now: now() },
      // One of an earlier version lacks what has been added since.
      alert: row.alert === null ? null : Alert.parse(JSON.parse(row.alert)),
      runUrl: row.run_id === null ? null : `${baseUrl()}/runs/${row.run_id}/charts`,
    });
    try {
      const options = { allowPrivate, timeoutMs: TIMEOUT_MS, signal: this.#stopping.signal };
      const went = judged(target, await post({ ...message, ...options }));
      return { ...went, answer: withoutSecrets(went.answer, destination) };
    } catch (error) {
      if (!(error instanceof PostFailure)) throw error;
      return { isTaken: false, status: null, answer: error.message };
    }
  }
}

function judged({ kind }: TargetRow, answer: PostAnswer): Try {
  const { status, text } = answer;
  const isRedirect = status >= 300 && status < 400;
  return {
    isTaken: isTaken(kind, answer),
    status,
    answer: isRedirect ? "Redirects are not followed." : text,
  };
}

/** Whoever may read deliveries may not know the address, and receivers like to repeat it: `Cannot POST /hook/…`. */
function withoutSecrets(text: string, { url, secret }: Destination): string {
  const { pathname, search, username, password } = new URL(url);
  const pieces = [...`${pathname}${search}`.split(/[/?&=]/), username, password, secret ?? ""];
  return [...new Set(pieces.flatMap((piece) => [piece, querystring.unescape(piece)]))]
    .filter(({ length }) => length >= MIN_SECRET_LENGTH)
    .sort((a, b) => b.length - a.length)
    .reduce((shown, piece) => shown.replaceAll(piece, "…"), text);
}

function settledBy(went: Try, { num_tries }: Pick<DeliveryRow, "num_tries">, now: number): Outcome {
  const tries = num_tries + 1;
  const isLast = went.isTaken || tries >= MAX_TRIES;
  return {
    state: went.isTaken ? "delivered" : isLast ? "dead" : "waiting",
    num_tries: tries,
    next_try_at: isLast ? null : now + waitAfterTry(tries),
    last_status: went.status,
    // PostgreSQL keeps no NUL inside a text.
    last_answer: went.answer.replaceAll("\u0000", "\ufffd").slice(0, MAX_ANSWER_CHARACTERS),
    settled_at: isLast ? now : null,
  };
}
