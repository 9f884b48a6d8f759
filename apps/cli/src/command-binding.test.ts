// Options that a command and the one above it both have.
import { Command } from "commander";
import { expect, it } from "vitest";
import { optionsOf } from "./command-binding.ts";

function parsed(...argv: string[]): Record<string, unknown> {
  let found: Record<string, unknown> = {};
  const program = new Command("spotter").option("--json");
  const alerts = program.command("alerts").option("--run <id>").option("--limit <n>", "", "30");
  alerts.action((...given) => {
    found = optionsOf(given.at(-1) as Command);
  });
  alerts
    .command("add <name>")
    .option("--run <id>")
    .option("--limit <n>", "", "5")
    .action((...given) => {
      found = optionsOf(given.at(-1) as Command);
    });
  program.parse(argv, { from: "user" });
  return found;
}

it("are those of the command that was meant, wherever they stand", () => {
  expect(parsed("alerts", "add", "x", "--run", "7")).toEqual({ run: "7", limit: "5" });
  expect(parsed("alerts", "add", "--run", "7", "x", "--json")).toEqual({ run: "7", limit: "5" });
  expect(parsed("alerts", "add", "x", "--limit", "9")).toEqual({ limit: "9" });
  expect(parsed("alerts", "--run", "7")).toEqual({ run: "7", limit: "30" });
  expect(parsed("alerts", "add", "x")).toEqual({ limit: "5" });
});
