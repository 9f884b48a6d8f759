// Uploads: names, rates, answers.
import { expect, it } from "vitest";
import { isTextFile, nameOf, readAnswer, uploadRate } from "./prepare-upload.ts";

it("names a dataset like its file", () => {
  expect(nameOf("My flowers.ZIP")).toBe("My flowers");
  expect(nameOf("archive.tar.zip")).toBe("archive.tar");
  expect(nameOf("reviews.jsonl")).toBe("reviews");
});

it("sends texts as they are and everything else as a zip", () => {
  expect(["a.CSV", "b.txt", "c.zip", "d.png"].map(isTextFile)).toEqual([true, true, false, false]);
});

it("tells share, rate and what is left", () => {
  expect(uploadRate(50, 200, 0, 2000)).toEqual({ share: 0.25, bytesPerS: 25, remainingS: 6 });
  expect(uploadRate(0, 200, 0, 100)).toEqual({ share: 0, bytesPerS: null, remainingS: null });
});

it("reads failures of the server and of what stands before it", () => {
  const refused = readAnswer(400, '{"error":{"code":"archive-empty","message":"no folders"}}');
  expect("failure" in refused && refused.failure.code).toBe("archive-empty");
  const proxy = readAnswer(413, "<html>too large</html>");
  expect("failure" in proxy && proxy.failure.code).toBe("body-too-large");
});
