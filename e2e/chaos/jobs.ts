// The short jobs of a chaos run: a few different trainings, so that each has twins, and their undisturbed originals.
import { createRun, type Run } from "@spotter/contract";
import type { House } from "../harness/house.ts";

/** Long enough for several checkpoints, short enough for hundreds of starts. */
const CONFIG = {
  ...{ epochs: 8, batch_size: 32, width: 6, device: "cpu" },
  ...{ checkpoint_every_epochs: 1, checkpoint_every_steps: 17, dropout: 0.2, augment: "light" },
};
const NUM_VARIANTS = 2;

export function variantOf(index: number): number {
  return index % NUM_VARIANTS;
}

export const VARIANTS = Array.from({ length: NUM_VARIANTS }, (_, index) => index);

/** A training that takes one GPU and one core; its variant is its seed. */
export function submit(house: House, name: string, variant: number): Promise<Run> {
  return house.client.call(createRun, {
    body: {
      ...{ recipe: "vision", name, config: { ...CONFIG, seed: 100 + variant } },
      ...{ resources: { gpus: 1, cpu_cores: 1, memory_gib: 0.5 }, limits: { attempts: 20 } },
    },
  });
}
