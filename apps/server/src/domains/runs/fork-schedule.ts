// The learning rate as the worker's `schedule.py` computes it, to tell beforehand where a fork would begin. Golden
// numbers of the contract, which both compute, keep the two together.

/** What of a config the schedule reads; every trained recipe has it. */
export interface ScheduleConfig {
  readonly schedule: string;
  readonly learning_rate: number;
  readonly warmup_epochs: number;
  readonly warmup_steps: number | null;
  readonly min_learning_rate_share: number;
  readonly step_every_epochs: number;
  readonly step_factor: number;
  readonly decay_share: number;
}

export interface Extent {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

const CYCLE_START_SHARE = 1 / 25;
const CYCLE_END_SHARE = 1e-4 / 25;
const CYCLE_RISE_SHARE = 0.3;

/** For the update that makes step number `step`, from 1; `drops`: what a plateau has cost so far. */
export function learningRate(
  config: ScheduleConfig,
  extent: Extent,
  step: number,
  drops: number,
): number {
  const peak = config.learning_rate;
  const floor = peak * config.min_learning_rate_share;
  if (config.schedule === "one-cycle") return oneCycle(peak, floor, extent.totalSteps, step);
  const warmup = config.warmup_steps ?? roundHalfEven(config.warmup_epochs * extent.stepsPerEpoch);
  if (step <= warmup) return (peak * step) / warmup;
  const span = Math.max(1, extent.totalSteps - warmup);
  const progress = Math.min(1, (step - 1 - warmup) / span);
  if (config.schedule === "cosine")
    return floor + (peak - floor) * 0.5 * (1 + Math.cos(Math.PI * progress));
  if (config.schedule === "linear") return floor + (peak - floor) * (1 - progress);
  if (config.schedule === "step") {
    const every = config.step_every_epochs * extent.stepsPerEpoch;
    return peak * config.step_factor ** Math.floor((step - 1) / every);
  }
  if (config.schedule === "plateau") return Math.max(floor, peak * config.step_factor ** drops);
  if (config.schedule === "warmup-stable-decay")
    return stableThenDecay(config, floor, extent.totalSteps, step);
  return peak;
}

function stableThenDecay(
  { learning_rate: peak, decay_share: share }: ScheduleConfig,
  floor: number,
  totalSteps: number,
  step: number,
): number {
  const decaySteps = Math.max(1, roundHalfEven(share * totalSteps));
  const intoDecay = step - (totalSteps - decaySteps);
  if (intoDecay <= 0) return peak;
  return floor + (peak - floor) * (1 - Math.sqrt(Math.min(1, intoDecay / decaySteps)));
}

function oneCycle(peak: number, floor: number, totalSteps: number, step: number): number {
  const rise = Math.max(1, roundHalfEven(CYCLE_RISE_SHARE * totalSteps));
  if (step <= rise) {
    const start = peak * CYCLE_START_SHARE;
    const risen = 0.5 * (1 - Math.cos((Math.PI * (step - 1)) / Math.max(1, rise - 1)));
    return start + (peak - start) * risen;
  }
  const end = Math.max(floor, peak * CYCLE_END_SHARE);
  const progress = Math.min(1, (step - rise) / Math.max(1, totalSteps - rise));
  return end + (peak - end) * 0.5 * (1 + Math.cos(Math.PI * progress));
}

/** As Python rounds: a half goes to the even neighbour. */
function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
