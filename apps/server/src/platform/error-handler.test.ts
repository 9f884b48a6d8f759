// A failure of the file system becomes the answer that says what to do, wherever a room wrote a file.
import type { FastifyReply, FastifyRequest } from "fastify";
import { expect, it } from "vitest";
import { answerError } from "./error-handler.ts";
import { Log } from "./log.ts";

function answerTo(code: string) {
  const answer = { status: 0, code: "" };
  const reply = {
    hasHeader: () => false,
    code(status: number) {
      answer.status = status;
      return this;
    },
    send(body: { error: { code: string } }) {
      answer.code = body.error.code;
      return this;
    },
  };
  const log = new Log({ level: "silent", format: "json", write: () => undefined });
  const request = { id: "1", method: "POST", url: "/api/x" };
  const error = Object.assign(new Error(code), { code });
  answerError(log, error, request as FastifyRequest, reply as unknown as FastifyReply);
  return answer;
}

it.each(["ENOSPC", "EDQUOT"])("a full disk or a used-up quota (%s) is disk-full", (code) => {
  expect(answerTo(code)).toEqual({ status: 507, code: "disk-full" });
});

it("any other failure to write is ours to explain", () => {
  expect(answerTo("EIO")).toEqual({ status: 500, code: "internal-error" });
});
