// The order of the palette's commands.
import { expect, it } from "vitest";
import type { Command } from "../../platform/commands.ts";
import { rankCommands } from "./rank-commands.ts";

const command = (title: string, kind: Command["kind"], keywords?: string): Command => ({
  id: title,
  kind,
  title,
  keywords,
  run: () => undefined,
});
const commands = [
  command("Settings", "setting"),
  command("42 · resnet18-digits", "object"),
  command("New training", "action", "start run"),
  command("新建训练", "action"),
];

it("puts actions before objects before settings", () => {
  const titles = rankCommands(commands, "", null).map((entry) => entry.title);
  expect(titles).toEqual(["New training", "新建训练", "42 · resnet18-digits", "Settings"]);
});

it("finds by the beginning of a word, by keywords and by pinyin initials", () => {
  expect(rankCommands(commands, "resn", null)[0]?.title).toBe("42 · resnet18-digits");
  expect(rankCommands(commands, "run", null)[0]?.title).toBe("New training");
  const initials = (text: string) => (text === "新建训练" ? "xjxl" : "");
  expect(rankCommands(commands, "xjxl", initials).map((entry) => entry.title)).toEqual([
    "新建训练",
  ]);
  expect(rankCommands(commands, "xjxl", null)).toEqual([]);
});
