import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ContentStore } from "./content-store.ts";

// SHA-256 of "abc", from the standard that defines it.
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const DAY = 86_400;

let home: string;
let store: ContentStore;
beforeEach(() => {
  home = mkdtempSync(path.join(os.tmpdir(), "spotter-content-"));
  store = new ContentStore(home);
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const put = (text: string, maxBytes = 100, expectedSha256?: string) =>
  store.put(Readable.from([Buffer.from(text)]), { maxBytes, expectedSha256 });
const incoming = () => readdirSync(path.join(home, "content/incoming"));

describe("the content store", () => {
  it("keeps a file under the hash of its bytes, once", async () => {
    expect(await put("abc")).toEqual({ sha256: ABC, size: 3 });
    expect(await put("abc")).toEqual({ sha256: ABC, size: 3 });
    expect(readFileSync(store.pathOf(ABC), "utf8")).toBe("abc");
    expect(incoming()).toEqual([]);
  });

  it("keeps nothing of a file that is too large, or not what it was said to be", async () => {
    await expect(put("abcd", 3)).rejects.toMatchObject({ code: "body-too-large" });
    await expect(put("abc", 100, "0".repeat(64))).rejects.toMatchObject({
      code: "upload-incomplete",
    });
    expect(incoming()).toEqual([]);
    expect(existsSync(store.pathOf(ABC))).toBe(false);
  });

  it("keeps nothing of a file whose sender went away", async () => {
    async function* broken() {
      yield Buffer.from("ab");
      throw new Error("connection reset");
    }
    await expect(store.put(Readable.from(broken()), { maxBytes: 100 })).rejects.toThrow("reset");
    expect(incoming()).toEqual([]);
  });

  it("removes what nobody refers to, but nothing that is younger than a day", async () => {
    await put("abc");
    const { sha256: other } = await put("other");
    const wantsAbc = async () => new Set([ABC]);
    const now = Date.now() / 1000;
    expect(await store.collect([wantsAbc], now)).toBe(0);
    expect(await store.collect([wantsAbc], now + 2 * DAY)).toBe(1);
    expect(existsSync(store.pathOf(ABC))).toBe(true);
    expect(existsSync(store.pathOf(other))).toBe(false);
  });
});
