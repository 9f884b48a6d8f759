// A real disk that becomes full: e2e/chaos/full-disk-scenario.ts is played in a mount namespace, where a small disk can be
// made without leaving a trace. As root, or where the system lets anybody make one (user namespaces).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

it("a full disk: refused with its code, nothing acknowledged is lost, and the checkpoint before is good", async () => {
  const folder = mkdtempSync(join(tmpdir(), "spotter-disk-"));
  // Processes of its own too: whatever a scenario that fails leaves behind ends with it.
  const namespace = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  if (process.getuid?.() !== 0) namespace.unshift("--user", "--map-root-user");
  const scenario = ["scripts/run-ts.mjs", "e2e/chaos/full-disk-scenario.ts", folder];
  const child = spawn("unshare", [...namespace, process.execPath, ...scenario]);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const [code] = await once(child, "close");
  expect(output, "it was played to its end").toMatch(/done\n$/);
  expect(code).toBe(0);
  rmSync(folder, { recursive: true, force: true });
});
