// A stand-in for nvidia-smi, so that the queue gives out GPUs on a machine that has none: a leak of one would show.
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder to put first on PATH. As the real program, it prints every second and ends when nobody reads any more. */
export function fakeGpus(count: number): string {
  const folder = mkdtempSync(join(tmpdir(), "spotter-gpus-"));
  const lines = Array.from(
    { length: count },
    (_, index) => `echo "${index}, Fake GPU, 0, 0, 16384, 30, 20.00"`,
  );
  const program = join(folder, "nvidia-smi");
  writeFileSync(program, `#!/bin/sh\nwhile :; do\n${lines.join("\n")}\nsleep 0.5\ndone\n`);
  chmodSync(program, 0o755);
  return folder;
}
