// A run's progress in the terminal: one line that is redrawn, or a line now and then where there is no terminal.
import { setTimeout as delay } from "node:timers/promises";

const pollMs = 250;
const plainLineMs = 5000;
const mostLooks = 20;
const barWidth = 24;
const ended = ["finished", "failed", "stopped", "cancelled"];

/** Follows a run until it has ended and returns it. */
export async function followRun(account, runId) {
  const sayPlainly = plainProgress((line) => process.stdout.write(line));
  for (;;) {
    let run = await account.call("GET", `/api/runs/${runId}`);
    const isOver = ended.includes(run.state);
    if (isOver) run = await settled(run, () => account.call("GET", `/api/runs/${runId}`));
    if (process.stdout.isTTY)
      process.stdout.write(`\r\x1b[2K${lineOf(run).slice(0, (process.stdout.columns ?? 100) - 1)}`);
    else sayPlainly(lineOf(run), isOver, performance.now());
    if (isOver) {
      if (process.stdout.isTTY) process.stdout.write("\n");
      return run;
    }
    await delay(pollMs);
  }
}

/** The last values are told a moment after the end: the run as it stands once two looks agree. */
export async function settled(run, read, waitMs = pollMs) {
  let before = run;
  for (let look = 0; look < mostLooks; look++) {
    await delay(waitMs);
    const now = await read();
    if (JSON.stringify(now.metrics) === JSON.stringify(before.metrics)) return now;
    before = now;
  }
  return before;
}

/** A line now and then, and at the end; none that says what the one before it said. */
export function plainProgress(write) {
  let said = "";
  let saidAt = Number.NEGATIVE_INFINITY;
  return (line, isOver, nowMs) => {
    if (line === said || (!isOver && nowMs - saidAt < plainLineMs)) return;
    said = line;
    saidAt = nowMs;
    write(`${line}\n`);
  };
}

/** `[########----] 620/1500  epoch 8/25  loss 0.0834  val acc 97.4 %  41 it/s  0:12 left` */
export function lineOf(run) {
  const { progress, metrics } = run;
  if (progress === null) return `${run.state}${run.reason ? `: ${run.reason}` : " ..."}`;
  const share = progress.total_steps ? Math.min(1, progress.step / progress.total_steps) : 0;
  const filled = Math.round(share * barWidth);
  const parts = [
    `[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}] ${progress.step}/${progress.total_steps ?? "?"}`,
    // As the contract's epochOf() has it, which cannot be imported before anything is built: 0 is none yet.
    progress.epoch >= 1
      ? `epoch ${progress.epoch}${progress.total_epochs === null ? "" : `/${progress.total_epochs}`}`
      : "",
    metric("loss", metrics["train/loss"], (value) => value.toPrecision(4)),
    metric("val acc", metrics["val/accuracy"], (value) => `${(100 * value).toFixed(1)} %`),
    metric("test acc", metrics["test/accuracy"], (value) => `${(100 * value).toFixed(1)} %`),
    progress.steps_per_s ? `${progress.steps_per_s.toFixed(0)} it/s` : "",
    run.state === "running" && progress.eta_s !== null
      ? `${clock(progress.eta_s)} left`
      : run.state,
  ];
  return parts.filter((part) => part !== "").join("  ");
}

// A metric that is not finite arrives as its name: "NaN" is said, never hidden.
function metric(label, value, format) {
  if (value === undefined || value === null) return "";
  return `${label} ${typeof value === "number" ? format(value) : value}`;
}

function clock(totalSeconds) {
  const whole = Math.max(0, Math.round(totalSeconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
