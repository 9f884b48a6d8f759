// The live hub: hears the bus once and hands each event to all readers that want it.
import type { Bus, BusEvent } from "../../platform/bus.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import { LiveFrame } from "./live-frame.ts";
import { LiveReader, type Outlet, type ReaderWishes } from "./live-reader.ts";
import type { MetricsService } from "./service.ts";

export interface LiveHubParts {
  readonly bus: Bus;
  readonly service: MetricsService;
  readonly onError: (error: unknown) => void;
}

export interface OpenReader {
  readonly caller: Caller;
  readonly outlet: Outlet;
  readonly wishes: ReaderWishes;
  readonly runIds: readonly number[];
  /** Throws when the caller may not see this any more. */
  readonly stillAllowed: () => Promise<void>;
}

const HEARTBEAT_MS = 15_000;
/** Tabs share one stream; this many is a program gone wild. */
const MAX_STREAMS_A_USER = 2_000;

interface Connected {
  readonly reader: LiveReader;
  readonly userId: number;
  readonly stillAllowed: () => Promise<void>;
}

export class LiveHub {
  readonly #parts: LiveHubParts;
  readonly #connected = new Map<LiveReader, Connected>();
  readonly #unsubscribe: () => void;
  readonly #timer: NodeJS.Timeout;

  constructor(parts: LiveHubParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.bus.subscribe((event) => this.#tell(event));
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#timer.unref();
  }

  get numReaders(): number {
    return this.#connected.size;
  }

  /** Before anything is answered: throws `too-many-streams`. */
  checkRoom(caller: Caller): void {
    let count = 0;
    for (const { userId } of this.#connected.values()) if (userId === caller.userId) count += 1;
    if (count >= MAX_STREAMS_A_USER) throw new SpotterError("too-many-streams");
  }

  /** Connects a reader; call `begin` on it when its positions are known, and `leave` when its connection is gone. */
  connect({ caller, outlet, wishes, runIds, stillAllowed }: OpenReader): LiveReader {
    const reader = new LiveReader(this.#parts.service, outlet, wishes, runIds, this.#parts.onError);
    this.#connected.set(reader, { reader, userId: caller.userId, stillAllowed });
    return reader;
  }

  leave(reader: LiveReader): void {
    reader.close();
    this.#connected.delete(reader);
  }

  /** Tells every reader that the server goes, and ends all connections. */
  close(): void {
    this.#unsubscribe();
    clearInterval(this.#timer);
    for (const reader of this.#connected.keys()) reader.close("shutting-down");
    this.#connected.clear();
  }

  #tell(event: BusEvent): void {
    if (this.#connected.size === 0) return;
    if (event.type === "access-changed") {
      this.#checkAll();
      return;
    }
    const frame = new LiveFrame(event);
    for (const reader of this.#connected.keys()) {
      reader.take(frame);
      if (reader.isClosed) this.#connected.delete(reader);
    }
  }

  #beat(): void {
    for (const connected of this.#connected.values()) {
      connected.reader.beat();
    }
    this.#checkAll();
  }

  // What changed on this server is told by the bus; what ran out, or changed on another, is found with the heartbeat.
  #checkAll(): void {
    for (const connected of this.#connected.values())
      this.#checkAgain(connected).catch(this.#parts.onError);
  }

  async #checkAgain({ reader, stillAllowed }: Connected): Promise<void> {
    try {
      await stillAllowed();
    } catch (error) {
      if (!(error instanceof SpotterError) || error.status >= 500) throw error;
      reader.close("signed-out");
      this.#connected.delete(reader);
    }
  }
}
