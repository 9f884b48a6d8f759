// The seeds' flat format: newest values of some series under fixed names, with the fields that are not points.
import {
  encodeMetricValue,
  FLAT_ADVANCED_NAMES,
  FLAT_NAMES,
  type FlatMetrics,
  type JobMetricsMessage,
  type MetricAppended,
  type MetricValue,
  type RunProgress,
} from "@spotter/contract";

/** Series that the flat format shows. */
export const FLAT_SERIES: readonly string[] = [
  ...Object.keys(FLAT_NAMES),
  ...Object.keys(FLAT_ADVANCED_NAMES),
];
/** Those and what the job's door shows besides. */
export const FOLLOWED_SERIES: readonly string[] = [
  ...FLAT_SERIES,
  "system/gpu_utilization_percent",
  "system/memory_used_gib",
  "system/memory_total_gib",
];

export interface FlatFacts {
  readonly progress: RunProgress | null;
  readonly model: FlatMetrics["model_info"];
}

/** Newest values of one run. */
export class FlatState {
  readonly runId: number;
  step: number | null = null;
  time: number | null = null;
  facts: FlatFacts = { progress: null, model: null };
  readonly #values = new Map<string, MetricValue>();

  constructor(runId: number) {
    this.runId = runId;
  }

  set(name: string, step: number, time: number, value: number): void {
    this.#values.set(name, encodeMetricValue(value));
    this.#advance(step, time);
  }

  /** @returns whether the event changed anything that the format shows */
  apply(event: MetricAppended): boolean {
    let hasChanged = false;
    for (const name of FOLLOWED_SERIES) {
      const columns = event.series[name];
      const last = (columns?.step.length ?? 0) - 1;
      if (columns === undefined || last < 0) continue;
      this.#values.set(name, columns.value[last] as MetricValue);
      this.#advance(columns.step[last] as number, columns.time[last] as number);
      hasChanged = true;
    }
    return hasChanged;
  }

  toMetrics(): FlatMetrics {
    const { progress, model } = this.facts;
    const value = (name: string) => this.#values.get(name) ?? null;
    const epoch = value("train/epoch");
    return {
      run_id: this.runId,
      epoch: typeof epoch === "number" ? Math.floor(epoch) : (progress?.epoch ?? null),
      batch: progress?.batch ?? null,
      step: this.step ?? progress?.step ?? null,
      train_loss: value("train/loss"),
      val_loss: value("val/loss"),
      train_accuracy: value("train/accuracy"),
      val_accuracy: value("val/accuracy"),
      learning_rate: value("train/learning_rate"),
      gpu_memory_used: value("system/gpu_memory_used_gib"),
      gpu_memory_total: value("system/gpu_memory_total_gib"),
      training_speed: value("train/steps_per_s"),
      eta: progress?.eta_s == null ? null : clockText(progress.eta_s),
      model_info: model,
      advanced_metrics: {
        gradient_norm: value("train/gradient_norm"),
        weight_norm: value("train/weight_norm"),
        lr_schedule: progress?.lr_schedule ?? null,
        batch_time: value("train/step_time_s"),
      },
    };
  }

  toJobMessage(now: number): JobMetricsMessage {
    const value = (name: string) => this.#values.get(name) ?? null;
    const number = (name: string) => {
      const found = value(name);
      return typeof found === "number" ? found : null;
    };
    const [used, total] = [number("system/memory_used_gib"), number("system/memory_total_gib")];
    return {
      timestamp: new Date((this.time ?? now) * 1000).toISOString(),
      metrics: { loss: value("train/loss"), accuracy: value("train/accuracy"), step: this.step },
      resources: {
        gpu_usage: number("system/gpu_utilization_percent"),
        memory_usage: used === null || !total ? null : (100 * used) / total,
      },
    };
  }

  #advance(step: number, time: number): void {
    // Of one moment: an attempt that went back takes the step back with it.
    if (this.time !== null && time < this.time) return;
    this.time = time;
    this.step = step;
  }
}

/** `HH:MM:SS` */
function clockText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (number: number) => String(number).padStart(2, "0");
  return `${two(Math.floor(whole / 3600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}
