import type { PreflightReport } from "@spotter/contract";
import { expect, it } from "vitest";
import { checkWords, reportLines } from "./preflight-text.ts";

const report: PreflightReport = {
  recipe: "text-lm",
  device: "cpu",
  model: { name: "llama-4x128", parameters: 787_968 },
  derived: {},
  now: null,
  done: [],
  budget_s: 20,
  elapsed_s: 12,
  verdict: "warning",
  findings: [
    {
      ...{ code: "memory-tight", severity: "warning", field: "batch_size" },
      ...{ message: "Memory: tight.", message_zh: "内存：偏紧。" },
    },
    {
      ...{ code: "time", severity: "ok", field: null },
      ...{ message: "Time: 5 min.", message_zh: "时间：5 分钟。" },
    },
  ],
  samples: [
    { kind: "text", label: null, tokens: ["a", "\n"], counted: [false, true], num_more: 7 },
  ],
  data: null,
  initial_loss: null,
  memory: {
    device: "cpu",
    parts: [{ name: "weights", bytes: 3 * 2 ** 20 }],
    processes: 1,
    total_bytes: 3 * 2 ** 20,
    available_bytes: null,
  },
  time: null,
  learning_rate: {
    ...{ learning_rates: [], loss: [], smoothed: [], steepest: null, diverged_at: null },
    ...{ suggested: 0.0017, is_cut_short: false },
  },
  overfit: null,
};
const plain = (_style: string, text: string) => text;

it("begins with the verdict and names the field that would help", () => {
  const lines = reportLines(report, "en", plain);
  expect(lines[0]).toBe("It would train; look at the warnings first.");
  expect(lines).toContain("▲ Memory: tight.  [batch_size]");
  expect(lines).toContain("✓ Time: 5 min.");
  expect(lines.at(-1)).toBe("Suggested by the test: --set learning_rate=0.0017");
  expect(lines.join("\n")).toMatch(/weights +3\.0 MiB/);
});

it("dims what the loss leaves out, and says how much more there is", () => {
  const dimmed = reportLines(report, "en", (style, text) => (style === "dim" ? `<${text}>` : text));
  expect(dimmed).toContain("  <a>⏎ … +7");
});

it("speaks Chinese throughout", () => {
  const lines = reportLines(report, "zh", plain).join("\n");
  expect(lines).toContain("▲ 内存：偏紧。");
  expect(lines).not.toContain("Memory");
  expect(checkWords("overfit", "zh")).toBe("单批过拟合测试");
});
