// Connections at the seeds' doors: the same live events, told in the seeds' flat formats.
import {
  ACTIVE_STATES,
  FINAL_STATES,
  type LiveEvent,
  type RunSummary,
  type TrainingMessage,
} from "@spotter/contract";
import type { FlatState } from "./flat-metrics.ts";
import type { LiveFrame } from "./live-frame.ts";
import type { Outlet } from "./live-reader.ts";
import type { NameFilter } from "./series-names.ts";
import type { EpochCompleted } from "./sink.ts";

type RunSummaryState = RunSummary["state"];

/** Writes messages; SSE and WebSocket each have one. */
export interface Wire extends Omit<Outlet, "send"> {
  write(message: unknown, position: string | null): void;
}

/** Follows one run, or the next that becomes active, and turns its events into messages. */
export abstract class FlatOutlet implements Outlet {
  protected readonly wire: Wire;
  protected state: FlatState | null;
  /** Called when another run became active while none was followed. */
  onRunActive: (runId: number) => void = () => undefined;
  #runState: RunSummaryState | null;
  readonly #isFixed: boolean;

  /** @param isFixed the caller named the run: no other is followed */
  constructor(
    wire: Wire,
    state: FlatState | null,
    runState: RunSummaryState | null,
    isFixed: boolean,
  ) {
    this.wire = wire;
    this.state = state;
    this.#runState = runState;
    this.#isFixed = isFixed;
  }

  send(frame: LiveFrame, position: string | null, filter: NameFilter | undefined): void {
    const event = frame.eventFor(filter);
    if (event?.type === "run-changed") this.#runChanged(event, position);
    else if (event?.type === "metric-appended" && event.run_id === this.state?.runId) {
      if (this.state.apply(event)) this.metricsChanged(this.state, position);
    }
  }

  /** Goes over to another run. */
  follow(state: FlatState): void {
    this.state = state;
    this.#runState = null;
  }

  beat(): void {
    this.wire.beat();
  }
  backlog(): number {
    return this.wire.backlog();
  }
  drained(): Promise<void> {
    return this.wire.drained();
  }
  end(): void {
    this.wire.end();
  }
  onGone(callback: () => void): void {
    this.wire.onGone(callback);
  }

  protected abstract metricsChanged(state: FlatState, position: string | null): void;
  protected abstract runStateChanged(state: FlatState, run: RunSummary): void;

  #runChanged(
    { run }: Extract<LiveEvent, { type: "run-changed" }>,
    _position: string | null,
  ): void {
    if (this.state !== null && run.id === this.state.runId) {
      this.state.facts = { ...this.state.facts, progress: run.progress };
      const before = this.#runState;
      this.#runState = run.state;
      if (before !== run.state) this.runStateChanged(this.state, run);
      return;
    }
    const isFree =
      !this.#isFixed && (this.state === null || FINAL_STATES.includes(this.#runState ?? "running"));
    if (isFree && ACTIVE_STATES.includes(run.state)) this.onRunActive(run.id);
  }
}

/** `/api/stream/metrics` */
export class MetricsUpdateOutlet extends FlatOutlet {
  protected override metricsChanged(state: FlatState, position: string | null): void {
    const timestamp = state.time ?? Date.now() / 1000;
    const data = state.toMetrics();
    this.wire.write({ timestamp, event_type: "metrics_update", data }, position);
  }

  protected override runStateChanged(): void {
    // The format has no word for it; the values say enough.
  }
}

/** `/ws/metrics` */
export class TrainingEventOutlet extends FlatOutlet {
  protected override metricsChanged(state: FlatState): void {
    this.#write(state, "metrics_update", "training", false, null);
  }

  protected override runStateChanged(state: FlatState, run: RunSummary): void {
    const isOver = FINAL_STATES.includes(run.state);
    if (!isOver && run.state !== "running") return;
    const best = run.best?.value ?? null;
    this.#write(state, isOver ? "training_ended" : "training_started", run.state, false, best);
  }

  epochCompleted(runId: number, event: EpochCompleted): void {
    if (this.state?.runId !== runId) return;
    const best = event.best?.value ?? null;
    this.#write(
      this.state,
      "epoch_completed",
      "training",
      event.checkpoint_saved,
      best,
      event.epoch,
    );
  }

  #write(
    state: FlatState,
    event: TrainingMessage["event"],
    modelState: string,
    checkpointSaved: boolean,
    best: TrainingMessage["data"]["best_accuracy"],
    epoch?: number,
  ): void {
    const metrics = state.toMetrics();
    const message: TrainingMessage = {
      message_type: "training_event",
      event,
      data: {
        run_id: state.runId,
        epoch: epoch ?? metrics.epoch,
        metrics,
        model_state: modelState,
        checkpoint_saved: checkpointSaved,
        best_accuracy: best,
      },
    };
    this.wire.write(message, null);
  }
}

/** `/ws/training/{job_id}/metrics` */
export class JobMetricsOutlet extends FlatOutlet {
  protected override metricsChanged(state: FlatState): void {
    this.wire.write(state.toJobMessage(Date.now() / 1000), null);
  }

  protected override runStateChanged(): void {
    // The format knows values only.
  }
}
