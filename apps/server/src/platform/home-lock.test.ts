import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HomeTakenError, processStartTime, takeHomeLock } from "./home-lock.ts";

let home: string;
let child: ChildProcess;
beforeEach(() => {
  home = mkdtempSync(path.join(os.tmpdir(), "spotter-lock-"));
  child = spawn(process.execPath, ["-e", "process.stdin.resume()"]);
});
afterEach(() => {
  child.kill("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});

const file = () => path.join(home, "server.lock");
const writeLock = (pid: number, startTime: string | null) =>
  writeFileSync(file(), JSON.stringify({ pid, start_time: startTime, since: 1_700_000_000 }));

describe("the lock of the data folder", () => {
  it("keeps a second server out, and tells whose it is and since when", () => {
    const lock = takeHomeLock(home);
    expect(() => takeHomeLock(home)).toThrow(HomeTakenError);
    expect(() => takeHomeLock(home)).toThrow(new RegExp(`process ${process.pid}, since 20`));
    lock.release();
    takeHomeLock(home).release();
    expect(existsSync(file())).toBe(false);
  });

  it("respects the lock of another process that runs", () => {
    const pid = child.pid as number;
    writeLock(pid, processStartTime(pid));
    expect(() => takeHomeLock(home)).toThrow(`process ${pid}`);
  });

  it("takes over from a process that is gone", async () => {
    const pid = child.pid as number;
    writeLock(pid, processStartTime(pid));
    child.kill("SIGKILL");
    await once(child, "exit");
    takeHomeLock(home);
    expect(JSON.parse(readFileSync(file(), "utf8"))).toMatchObject({ pid: process.pid });
  });

  it("takes over when the number belongs to a younger process now", () => {
    writeLock(child.pid as number, "12345");
    takeHomeLock(home);
    expect(JSON.parse(readFileSync(file(), "utf8"))).toMatchObject({ pid: process.pid });
  });

  it("takes over a lock whose writing was cut off", () => {
    writeFileSync(file(), '{"pid": 1');
    takeHomeLock(home);
    expect(JSON.parse(readFileSync(file(), "utf8"))).toMatchObject({ pid: process.pid });
  });

  it("leaves a lock that is no longer its own", () => {
    const lock = takeHomeLock(home);
    writeLock(child.pid as number, "1");
    lock.release();
    expect(existsSync(file())).toBe(true);
  });
});
