// How the metrics benches show what they measured.
import { existsSync, readdirSync, readFileSync } from "node:fs";

export function median(numbers: readonly number[]): number {
  return percentile(numbers, 50);
}

export function percentile(numbers: readonly number[], percent: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}

export function table(rows: readonly (readonly (string | number)[])[]): void {
  const texts = rows.map((row) =>
    row.map((cell) => (typeof cell === "number" ? cell.toLocaleString("en-US") : cell)),
  );
  const widths = (texts[0] ?? []).map((_, column) =>
    Math.max(...texts.map((row) => row[column]?.length ?? 0)),
  );
  texts.forEach((row, index) => {
    console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
    if (index === 0) console.log(widths.map((width) => "-".repeat(width)).join("  "));
  });
}

/** `--seconds 20` */
export function numberArgument(name: string, fallback: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
}

export function hasFlag(name: string): boolean {
  return process.argv.includes(`--${name}`);
}

/** Processor seconds that a process has used so far, by thread; Linux only, elsewhere empty. */
export function processorSeconds(pid: number): Map<string, number> {
  const seconds = new Map<string, number>();
  const folder = `/proc/${pid}/task`;
  if (!existsSync(folder)) return seconds;
  for (const thread of readdirSync(folder)) {
    const text = readFileSync(`${folder}/${thread}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // 14th and 15th field: user and system time in ticks of 10 ms.
    seconds.set(thread, (Number(fields[11]) + Number(fields[12])) / 100);
  }
  return seconds;
}
