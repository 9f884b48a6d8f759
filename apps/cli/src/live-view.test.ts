// What the live view writes, with and without a terminal.
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { Context, printable, type Streams } from "./context.ts";
import { LiveView } from "./live-view.ts";
import { readSettings } from "./settings.ts";

function viewOf(terminal: { isTTY: boolean; columns?: number }): {
  view: LiveView;
  written: () => string;
} {
  const stdout = Object.assign(new PassThrough(), terminal);
  const streams = { stdout, stderr: stdout, stdin: process.stdin } as unknown as Streams;
  const view = new LiveView(new Context(readSettings({}), streams, {}));
  return { view, written: () => String(stdout.read() ?? "") };
}

it("redraws one line below the lines that stay, cut to the terminal's width", () => {
  const { view, written } = viewOf({ isTTY: true, columns: 10 });
  view.status("0123456789abc");
  expect(written()).toBe("\r\u001b[2K012345678");
  view.line("a log line");
  expect(written()).toBe("\r\u001b[2Ka log line\n012345678");
  view.status("轮次轮次轮次");
  expect(written()).toBe("\r\u001b[2K轮次轮次");
  view.close();
  expect(written()).toBe("\n");
});

it("lets nothing from elsewhere steer the terminal", () => {
  const { view, written } = viewOf({ isTTY: true, columns: 60 });
  view.line("\u001b[31mred\u001b[39m \u001b]0;title\u0007\u001b[2J\u009b1Aup\rback\u202eright");
  expect(written()).toBe("\r\u001b[2K\u001b[31mred\u001b[39m up backright\n");
  view.status("loss\u001b[5A\n1 \b\u0000");
  expect(written()).toBe("\r\u001b[2Kloss 1   ");
});

it("prints answers for programs exactly, and those for people without what steers a terminal", () => {
  const stdout = Object.assign(new PassThrough(), { isTTY: false });
  const streams = { stdout, stderr: stdout, stdin: process.stdin } as unknown as Streams;
  const context = new Context(readSettings({}), streams, { json: true });
  const name = "a\u001b[2Jb\u202e";
  context.answerLine({ name });
  expect(JSON.parse(String(stdout.read()))).toEqual({ name });
  context.say(`${name}\n\tnext`);
  expect(String(stdout.read())).toBe("ab\n\tnext\n");
  context.note(name);
  expect(String(stdout.read())).toBe("ab\n");
  expect(printable("\u001b[8mhidden\u001b[0m\n\u2066x")).toBe("hidden x");
});

it("writes plain lines where there is no terminal, and progress only now and then", () => {
  const { view, written } = viewOf({ isTTY: false });
  view.status("1/9");
  view.status("2/9");
  view.line("a log line");
  view.status("3/9", true);
  view.status("3/9", true);
  view.close();
  expect(written()).toBe("1/9\na log line\n3/9\n");
});
