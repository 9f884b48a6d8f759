// The command line against a real server: what people read, what programs read, and the codes it ends with.
import { statSync } from "node:fs";
import { join } from "node:path";
import { Me, PredictAnswer, Run, RunPage } from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandLine } from "./harness/command-line.ts";
import { ADMIN, freePort, House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

const QUICK = ["--set", "epochs=2", "--set", "width=4", "--set", "batch_size=128"];

let house: House;
let signedIn: CommandLine;
beforeAll(async () => {
  house = await House.open();
  signedIn = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
});
afterAll(async () => {
  signedIn.remove();
  await house.close();
});

describe("signing in", () => {
  it("keeps a token in a private file, speaks with it, and revokes it at the end", async () => {
    const stranger = new CommandLine({});
    const signIn = ["sign-in", "--server", house.url, "--name", ADMIN.name, "--password-stdin"];
    expect((await stranger.run(["whoami"])).code).toBe(3);
    const wrong = await stranger.run(signIn, "wrong\n");
    expect(wrong).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("(wrong-credentials)"),
    });
    expect(wrong.stderr.trim().split("\n")).toHaveLength(1);

    expect(await stranger.run(signIn, `${ADMIN.password}\n`)).toMatchObject({ code: 0 });
    const file = join(stranger.folder, "spotter", "config.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const me = await stranger.run(["whoami", "--json"]);
    expect(Me.parse(JSON.parse(me.stdout))).toMatchObject({ via: "token" });

    expect(await stranger.run(["sign-out"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("revoked"),
    });
    expect((await stranger.run(["whoami", "--server", house.url])).code).toBe(3);
    stranger.remove();
  });
});

describe("a training", () => {
  it("is started, watched to its end, listed, read and used, by people and by programs", async () => {
    const watched = await signedIn.run(["train", "vision", ...QUICK, "--name", "tiny", "--watch"]);
    expect(watched).toMatchObject({ code: 0, stderr: "" });
    expect(watched.stdout).toMatch(/Run \d+ "tiny" is queued/);
    expect(watched.stdout).toMatch(/epoch 2\/2.*loss/);
    expect(watched.stdout).toMatch(/Run \d+ finished after 0:/);
    const id = /Run (\d+) "tiny"/.exec(watched.stdout)?.[1] ?? "";
    // To its very last line, which comes behind its end.
    const { stdout: log } = await signedIn.run(["logs", id, "--all"]);
    const lastLine = log.trimEnd().split("\n").at(-1) ?? "";
    expect(lastLine).not.toBe("");
    expect(watched.stdout).toContain(lastLine);

    expect((await signedIn.run(["runs"])).stdout).toMatch(/tiny +finished/);
    const page = RunPage.parse(JSON.parse((await signedIn.run(["runs", "--json"])).stdout));
    expect(page.runs[0]?.name).toBe("tiny");
    const run = Run.parse(JSON.parse((await signedIn.run(["run", id, "--json"])).stdout));
    expect(run.config).toMatchObject({ epochs: 2, width: 4 });
    expect((await signedIn.run(["run", id])).stdout).toContain("model.safetensors");
    expect((await signedIn.run(["logs", id])).stdout).toContain("epoch 2/2");

    const answer = await signedIn.run(["predict", id, "--test", "3", "--json"]);
    expect(PredictAnswer.parse(JSON.parse(answer.stdout)).predictions).toHaveLength(3);
    expect((await signedIn.run(["watch", id])).code).toBe(0);
  });

  it("is stopped, and whoever watches it learns so by the exit code", async () => {
    const run = await house.train({ epochs: 5000, width: 4 });
    const watching = signedIn.start(["watch", String(run.id), "--json"]);
    await house.untilState(run.id, "running");
    await until("the watcher tells of progress", () => watching.stdout.includes('"progress":{'));
    expect((await signedIn.run(["stop", String(run.id)])).code).toBe(0);
    expect((await watching.finished()).code).toBe(11);
    for (const line of watching.stdout.trim().split("\n"))
      expect(JSON.parse(line)).toHaveProperty("type");
    expect((await signedIn.run(["pause", String(run.id)])).code).toBe(7);
  });

  it("goes on when the watcher is interrupted, and through a restart of the server", async () => {
    const run = await house.train({ epochs: 5000, width: 4 });
    await house.untilState(run.id, "running");
    const first = signedIn.start(["watch", String(run.id)]);
    await until("it shows progress", () => /step|\[#*-*\]/.test(first.stdout));
    expect(await first.end("SIGINT")).toMatchObject({
      code: 130,
      stderr: expect.stringContaining("goes on"),
    });
    const second = signedIn.start(["watch", String(run.id)]);
    await until("it shows progress", () => /step|\[#*-*\]/.test(second.stdout));
    await house.kill();
    await until("it says so", () => second.stdout.includes("does not answer"));
    await house.start();
    expect((await signedIn.run(["stop", String(run.id)])).code).toBe(0);
    expect((await second.finished()).code).toBe(11);
  });
});

describe("mistakes", () => {
  it("end with the documented code and one sentence", async () => {
    const unreachable = `http://127.0.0.1:${await freePort()}`;
    const codes = [
      [["nonsense"], 2],
      [["train", "vision", "--set", "epochs"], 2],
      [["train", "vision", "--set", "epochs=0"], 2],
      [["train", "cooking"], 2],
      [["run", "abc"], 2],
      [["run", "python3", "train.py"], 2],
      [["run", "999999"], 4],
      [["--server", unreachable, "runs"], 5],
    ] as const;
    for (const [args, code] of codes) {
      const finished = await signedIn.run(args);
      expect([args, finished.code]).toEqual([args, code]);
      expect(finished.stderr).not.toContain("    at ");
      expect(finished.stdout).toBe("");
    }
  });

  it("name the path that does not exist, whichever command reads it", async () => {
    const nowhere = join(signedIn.folder, "nope");
    for (const args of [
      ["predict", "1", nowhere],
      ["datasets", "upload", nowhere],
      ["train", "vision", "--config", nowhere],
      ["tensorboard", nowhere],
    ]) {
      const { code, stderr } = await signedIn.run(args);
      expect([args, code, stderr]).toEqual([
        args,
        2,
        `spotter: ${nowhere} does not exist. (wrong-usage)\n`,
      ]);
    }
  });

  it("speaks Chinese to those who do", async () => {
    const finished = await signedIn.run(["runs", "--state", "queued", "--lang", "zh"]);
    expect(finished.stdout).toBe("没有训练。\n");
  });
});
