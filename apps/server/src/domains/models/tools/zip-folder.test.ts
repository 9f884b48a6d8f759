import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { buffer, text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import yauzl from "yauzl";
import { zipOf } from "./zip-folder.ts";

test("the archive holds each file as it is, under its name", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "spotter-zip-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const large = Buffer.alloc(300_000, "weights ");
  writeFileSync(path.join(folder, "a"), large);
  writeFileSync(path.join(folder, "b"), "");
  const zip = await buffer(
    zipOf([
      { name: "model.safetensors", file: path.join(folder, "a") },
      { name: "tokenizer/词.json", file: path.join(folder, "b") },
    ]),
  );
  expect(await unzipped(zip)).toEqual({
    "model.safetensors": large.toString(),
    "tokenizer/词.json": "",
  });
});

function unzipped(zip: Buffer): Promise<Record<string, string>> {
  return new Promise((resolve, reject) => {
    const found: Record<string, string> = {};
    yauzl.fromBuffer(zip, { lazyEntries: true }, (failure, reader) => {
      if (failure !== null) return reject(failure);
      reader.on("entry", (entry: yauzl.Entry) => {
        // The reader checks size and checksum of what it hands out.
        reader.openReadStream(entry, (error, stream) => {
          if (error !== null) return reject(error);
          text(stream).then((content) => {
            found[entry.fileName] = content;
            reader.readEntry();
          }, reject);
        });
      });
      reader.on("end", () => resolve(found));
      reader.on("error", reject);
      reader.readEntry();
    });
  });
}
