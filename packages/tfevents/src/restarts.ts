// Notices that a training was restarted: TensorBoard writers open a new file, and its steps go back.
// Looks at each tag by itself, since an evaluation that writes a file of its own with other tags and
// lower steps is no restart.
import type { TagMetadata } from "./scalars.ts";

/** One life of one file: a file that was replaced goes on as another source of the same name. */
export interface PointSource {
  readonly file: string;
}

/** What is remembered of a tag. */
export interface TagMemory {
  metadata: TagMetadata | null;
  /** The latest source, in name order, that had points of this tag; null for one that is gone. */
  source: PointSource | null;
  /** Highest step in that source, and in all sources before it that a restart did not void. */
  lastStep: number;
  earlierLastStep: number;
}

const noStep = Number.NEGATIVE_INFINITY;

export class RestartDetector {
  readonly tags: Map<string, TagMemory>;
  // Two writers side by side would otherwise seem to restart at each of their points.
  readonly #restarted: WeakSet<PointSource>;

  constructor(tags: Iterable<[string, TagMemory]> = [], restarted: PointSource[] = []) {
    this.tags = new Map(tags);
    this.#restarted = new WeakSet(restarted);
  }

  hasRestarted(source: PointSource): boolean {
    return this.#restarted.has(source);
  }

  memoryOf(tag: string): TagMemory {
    const known = this.tags.get(tag);
    if (known) return known;
    const memory = { metadata: null, source: null, lastStep: noStep, earlierLastStep: noStep };
    this.tags.set(tag, memory);
    return memory;
  }

  /** Takes note of a point; true if it shows that the training was restarted at its step. */
  point(source: PointSource, memory: TagMemory, step: number): boolean {
    if (memory.source !== source) {
      if (!isLater(source, memory.source)) return false;
      memory.earlierLastStep = Math.max(memory.earlierLastStep, memory.lastStep);
      memory.lastStep = noStep;
      memory.source = source;
    }
    const isRestart = step <= memory.earlierLastStep && this.#restart(source, step);
    memory.lastStep = Math.max(memory.lastStep, step);
    return isRestart;
  }

  /** Takes note of a writer that says it restarts; true if that voids any point. */
  announced(source: PointSource, step: number): boolean {
    for (const memory of this.tags.values()) {
      const own = memory.source === source;
      const earlier = own
        ? memory.earlierLastStep
        : Math.max(memory.lastStep, memory.earlierLastStep);
      if (earlier >= step) return this.#restart(source, step);
    }
    return false;
  }

  /** A file is going to be read again from its start: its points so far belong to the past. */
  forget(source: PointSource): void {
    for (const memory of this.tags.values()) {
      if (memory.source === source) memory.source = null;
    }
  }

  // Steps that the restart voids must not make the next file seem to be a restart as well.
  #restart(source: PointSource, step: number): boolean {
    if (this.#restarted.has(source)) return false;
    this.#restarted.add(source);
    for (const memory of this.tags.values()) {
      memory.earlierLastStep = Math.min(memory.earlierLastStep, step - 1);
      if (memory.source !== source) memory.lastStep = Math.min(memory.lastStep, step - 1);
    }
    return true;
  }
}

function isLater(source: PointSource, than: PointSource | null): boolean {
  return than === null || source.file > than.file || (source.file === than.file && source !== than);
}
