// What recipes set differently among the fields that all share, and what holds where they say nothing.

/** What differs between recipes before a person changes anything. */
export interface LoopDefaults {
  readonly epochs: number;
  readonly max_steps: number | null;
  readonly batch_size: number;
  /** What a batch is counted in: examples, or windows of one long text. */
  readonly batch_of: "examples" | "windows";
  readonly optimizer: "adamw" | "adam" | "sgd" | "adafactor";
  readonly learning_rate: number;
  readonly beta2: number;
  readonly weight_decay: number;
  readonly schedule: ScheduleName;
  readonly warmup_epochs: number;
  readonly warmup_steps: number | null;
  readonly min_learning_rate_share: number;
  readonly label_smoothing: number;
  readonly eval_every_steps: number | null;
  readonly checkpoint_every_epochs: number;
  readonly checkpoint_every_steps: number | null;
}

export const SCHEDULES = [
  "cosine",
  "step",
  "constant",
  "linear",
  "one-cycle",
  "plateau",
  "warmup-stable-decay",
] as const;
type ScheduleName = (typeof SCHEDULES)[number];

export const usual: LoopDefaults = {
  epochs: 25,
  max_steps: null,
  batch_size: 64,
  batch_of: "examples",
  optimizer: "adamw",
  learning_rate: 0.003,
  beta2: 0.999,
  weight_decay: 0.01,
  schedule: "cosine",
  warmup_epochs: 1,
  warmup_steps: null,
  min_learning_rate_share: 0,
  label_smoothing: 0,
  eval_every_steps: null,
  checkpoint_every_epochs: 5,
  checkpoint_every_steps: null,
};
