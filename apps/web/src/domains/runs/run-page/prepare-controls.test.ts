import type { RunCommand } from "@spotter/contract";
import { expect, test } from "vitest";
import { controlsFor, newestRefusal, pendingCommands } from "./prepare-controls.ts";

const own = { isExternal: false, isArchived: false };
function command(id: number, action: RunCommand["action"], state: RunCommand["state"]): RunCommand {
  return {
    id,
    action,
    state,
    created_at: 0,
    created_by: 1,
    created_by_name: "ada",
    acked_at: null,
    message: null,
    step: null,
    ...{ values: null, reason: null, change_id: null, change: null },
  };
}

test("a running run can be paused and a paused one resumed", () => {
  expect(controlsFor("running", own).bar[0]).toBe("pause");
  expect(controlsFor("paused", own).bar[0]).toBe("resume");
});

test("only a run that failed or was stopped can go on from its checkpoint", () => {
  expect(controlsFor("failed", own).menu).toContain("resume-run");
  expect(controlsFor("stopped", own).menu).toContain("resume-run");
  expect(controlsFor("finished", own).menu).not.toContain("resume-run");
});

test("a run that somebody else's script feeds can only be ended", () => {
  expect(controlsFor("running", { isExternal: true, isArchived: false })).toEqual({
    bar: ["stop"],
    menu: ["archive"],
  });
  expect(controlsFor("stopped", { isExternal: true, isArchived: false })).toEqual({
    bar: [],
    menu: ["archive", "delete"],
  });
});

test("an archived run is offered back", () => {
  expect(controlsFor("finished", { isExternal: false, isArchived: true }).menu).toEqual([
    "restore",
    "delete",
  ]);
});

test("a command is pending until the worker has answered", () => {
  const commands = [command(1, "pause", "done"), command(2, "checkpoint", "sent")];
  expect([...pendingCommands(commands).keys()]).toEqual(["checkpoint"]);
});

test("a refusal is said until the next command", () => {
  const refused = command(1, "pause", "refused");
  expect(newestRefusal([refused])).toBe(refused);
  expect(newestRefusal([refused, command(2, "pause", "sent")])).toBeNull();
  expect(newestRefusal([])).toBeNull();
});
