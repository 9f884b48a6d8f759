// One live event as bytes for SSE. Built once for all readers that want it alike: a thousand of them share one buffer.
import type { LiveEvent, MetricAppended } from "@spotter/contract";
import type { NameFilter } from "./series-names.ts";

export class LiveFrame {
  readonly event: LiveEvent;
  readonly #bodies = new Map<string, string | null>();
  readonly #buffers = new Map<string, Buffer>();
  // Nearly all readers of a run stand where the one before them stands.
  #lastPosition: string | null | undefined;
  #lastFilter = "";
  #lastBuffer: Buffer | undefined;

  constructor(event: LiveEvent) {
    this.event = event;
  }

  /** The event as this reader wants it; undefined when nothing of it is left. */
  eventFor(filter: NameFilter | undefined): LiveEvent | undefined {
    if (filter === undefined || this.event.type !== "metric-appended") return this.event;
    return filterSeries(this.event, filter);
  }

  /** @param position SSE id; null for readers that watch no run */
  sse(position: string | null, filter: NameFilter | undefined): Buffer | undefined {
    const wanted = filter?.text ?? "";
    if (position === this.#lastPosition && wanted === this.#lastFilter) return this.#lastBuffer;
    this.#lastPosition = position;
    this.#lastFilter = wanted;
    this.#lastBuffer = this.#find(position, wanted, filter);
    return this.#lastBuffer;
  }

  #find(
    position: string | null,
    wanted: string,
    filter: NameFilter | undefined,
  ): Buffer | undefined {
    const key = `${position}\n${wanted}`;
    let buffer = this.#buffers.get(key);
    if (buffer === undefined) {
      const body = this.#body(wanted, filter);
      if (body === null) return undefined;
      buffer = Buffer.from(position === null ? body : `id: ${position}\n${body}`);
      this.#buffers.set(key, buffer);
    }
    return buffer;
  }

  #body(key: string, filter: NameFilter | undefined): string | null {
    let body = this.#bodies.get(key);
    if (body === undefined) {
      const event = this.eventFor(filter);
      body =
        event === undefined
          ? null
          : `event: ${event.type}\ndata: ${JSON.stringify(withoutProject(event))}\n\n`;
      this.#bodies.set(key, body);
    }
    return body;
  }
}

// The bus carries the project for the access check; the wire's event has no such field.
function withoutProject(event: LiveEvent & { project_id?: number }): LiveEvent {
  const { project_id: _projectId, ...rest } = event;
  return rest as LiveEvent;
}

function filterSeries(event: MetricAppended, filter: NameFilter): MetricAppended | undefined {
  const wanted = Object.entries(event.series).filter(([name]) => filter.wants(name));
  if (wanted.length === 0) return undefined;
  if (wanted.length === Object.keys(event.series).length) return event;
  return { ...event, series: Object.fromEntries(wanted) };
}
