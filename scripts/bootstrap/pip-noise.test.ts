// Tests of what the setup leaves out of pip's output.
import { expect, test } from "vitest";
import { isPipNoise } from "./pip-noise.mjs";

test("what pip looks at, swaps and advertises is left out", () => {
  for (const line of [
    "Collecting torch==2.13.0",
    "  Attempting uninstall: setuptools",
    "    Found existing installation: setuptools 66.1.1",
    "    Uninstalling setuptools-66.1.1:",
    "      Successfully uninstalled setuptools-66.1.1",
    "[notice] A new release of pip is available: 23.0.1 -> 26.1",
    "   ━━━━━━━━━━━━━━━━ 2.8/2.8 GB",
    "",
  ])
    expect([line, isPipNoise(line)]).toEqual([line, true]);
});

test("what was installed and whatever went wrong stays", () => {
  for (const line of [
    "Successfully installed numpy-2.4.6 torch-2.13.0",
    "ERROR: No matching distribution found for torch==2.13.0",
    "WARNING: Retrying (Retry(total=4)) after connection broken",
    "error: externally-managed-environment",
    "OSError: [Errno 28] No space left on device",
  ])
    expect([line, isPipNoise(line)]).toEqual([line, false]);
});
