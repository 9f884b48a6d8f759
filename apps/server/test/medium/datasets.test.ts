// Datasets over HTTP: an upload becomes version 1, and everything that an archive could do to us is refused.
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import os from "node:os";
import path from "node:path";
import { crc32 } from "node:zlib";
import {
  createRun,
  type Dataset,
  ErrorEnvelope,
  getDataset,
  listDatasets,
  previewDatasetVersion,
} from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataRoots } from "../../src/domains/datasets/data-roots.ts";
import { makeTestPlace } from "../database.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { makeZip, type ZipEntry } from "../zip.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ env: { SPOTTER_MAX_UPLOAD_MB: "2" } });
});
afterAll(() => server.close());

/** Nothing to see, but every part and checksum is in place. */
function png(text: string): Buffer {
  const part = (name: string, data: string) => {
    const named = Buffer.from(name + data);
    const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    size.writeUInt32BE(named.length - 4);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([size, named, sum]);
  };
  const begin = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([begin, part("IHDR", "x".repeat(13)), part("tEXt", text), part("IEND", "")]);
}
const image = (name: string, text = name): ZipEntry => ({ name, data: png(`${text}....`) });
const twoClasses = [image("cat/1.png"), image("dog/1.png")];

async function upload(body: Uint8Array, type = "application/zip") {
  const response = await fetch(`${server.url}/api/datasets?name=Pets`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.token}`, "content-type": type },
    body,
  });
  return { status: response.status, json: await response.json() };
}

/** One file of texts, as it is. */
async function uploadText(file: string, text: string | Uint8Array) {
  const response = await fetch(`${server.url}/api/datasets?name=Texts&file=${file}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${server.token}`,
      "content-type": "application/octet-stream",
    },
    body: Buffer.from(text),
  });
  return { status: response.status, json: await response.json() };
}

async function codeOf(entries: readonly ZipEntry[]): Promise<[number, string]> {
  const { status, json } = await upload(makeZip(entries));
  return [status, ErrorEnvelope.parse(json).error.code];
}

function leftovers(): string[] {
  const folder = path.join(server.home, "tmp/uploads");
  const incoming = path.join(server.home, "content/incoming");
  return [folder, incoming].flatMap((each) => (existsSync(each) ? readdirSync(each) : []));
}

describe("an upload", () => {
  it("becomes a dataset whose files workers can read", async () => {
    const { status, json } = await upload(
      makeZip([
        { name: "pets/", data: Buffer.alloc(0), mode: 0o040755 },
        image("pets/cat/1.png"),
        { ...image("pets/cat/2.png"), isDeflated: true },
        image("pets/dog/1.png", "pets/cat/1.png"),
        image("pets/dog/deep/er.png"),
        image("pets/readme.png"),
        { name: "pets/dog/notes.png", data: Buffer.from("no image at all") },
        { name: "pets/dog/tiny.png", data: Buffer.from("x") },
        image("__MACOSX/pets/cat/._1.png"),
        image("pets/.DS_Store"),
      ]),
    );
    expect(status).toBe(201);
    const dataset = json as Dataset;
    const [version] = dataset.versions;
    expect(version).toMatchObject({ version: 1, num_files: 3, classes: { cat: 2, dog: 1 } });
    expect(version?.skipped.map((entry) => entry.path).sort()).toEqual([
      "__MACOSX/pets/cat/._1.png",
      "dog/notes.png",
      "dog/tiny.png",
      "pets/.DS_Store",
      "pets/dog/deep/er.png",
      "pets/readme.png",
    ]);
    const folder = path.join(server.home, "datasets", String(version?.id));
    expect(readdirSync(folder).sort()).toEqual(["cat", "dog"]);
    expect(readFileSync(path.join(folder, "cat/1.png"))).toEqual(
      readFileSync(path.join(folder, "dog/1.png")),
    );
    expect(leftovers()).toEqual([]);
    const params = { dataset_id: String(dataset.id) };
    expect(await server.client.call(getDataset, { params })).toEqual(dataset);
    expect((await server.client.call(listDatasets, {})).datasets).toContainEqual(dataset);
  });

  it("is answered when it is too large, also to a client that sends all of it first", async () => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    const head = [
      "POST /api/datasets?name=Pets HTTP/1.1",
      "host: 127.0.0.1",
      `authorization: Bearer ${server.token}`,
      "content-type: application/zip",
      "transfer-encoding: chunked",
    ];
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    const megabytes = 16;
    for (let index = 0; index < megabytes; index += 1)
      socket.write(
        Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(1024 * 1024 + 2, "\r\n")]),
      );
    await new Promise<void>((resolve) => socket.write("0\r\n\r\n", () => resolve()));
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(String(answer)).toContain(" 413 ");
    socket.destroy();
    expect(leftovers()).toEqual([]);
  });

  it("says how large it is and how large it may be", async () => {
    const size = 3 * 1024 * 1024;
    const { status, json } = await upload(Buffer.alloc(size));
    const { code, message, details } = ErrorEnvelope.parse(json).error;
    expect([status, code]).toEqual([413, "body-too-large"]);
    expect(details).toMatchObject({ bytes: size, max_bytes: 2 * 1024 * 1024 });
    expect(message).toContain(`${size} bytes; it may have ${2 * 1024 * 1024} at most`);
  });

  it("is refused whole where the project's datasets would become too many bytes", async () => {
    const full = await startTestServer({ env: { SPOTTER_MAX_PROJECT_DATA_MB: "1" } });
    try {
      const send = async (numBytes: number) => {
        const response = await fetch(`${full.url}/api/datasets?name=Texts&file=a.txt`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${full.token}`,
            "content-type": "application/octet-stream",
          },
          body: Buffer.alloc(numBytes, "words \n"),
        });
        return { status: response.status, json: await response.json() };
      };
      expect((await send(700_000)).status).toBe(201);
      const refused = await send(400_000);
      const details = { max_bytes: 1024 * 1024, bytes: 1_100_000 };
      expect(refused).toMatchObject({
        status: 507,
        json: { error: { code: "project-data-full", details } },
      });
      const { datasets } = await full.client.call(listDatasets, {});
      expect(datasets).toHaveLength(1);
      expect(readdirSync(path.join(full.home, "datasets"))).toHaveLength(1);
      expect(readdirSync(path.join(full.home, "tmp/uploads"))).toEqual([]);
      expect((await send(1024 * 1024 - 700_000)).status).toBe(201);
      expect((await send(1)).status).toBe(507);
    } finally {
      await full.close();
    }
  });

  it("leaves out names that no folder of ours could hold", async () => {
    const long = `${"x".repeat(300)}.png`;
    const { status, json } = await upload(
      makeZip([
        ...["cat/1.png", "dog/1.png", `cat/${long}`, `${long}/1.png`].map((name) =>
          image(`top/${name}`),
        ),
        ...[image("top//cat"), image("top//dog")],
      ]),
    );
    expect(status).toBe(201);
    const [version] = (json as Dataset).versions;
    expect(version).toMatchObject({ num_files: 2, classes: { cat: 1, dog: 1 } });
    expect(version?.skipped).toHaveLength(4);
    expect(readdirSync(path.join(server.home, "datasets")).sort()).not.toContain(".tmp");
  });

  it("of recordings is a dataset of recordings; the odd image among them is left out", async () => {
    const wav = (name: string): ZipEntry => ({
      name,
      data: Buffer.from(`RIFF\u0010\u0000\u0000\u0000WAVEfmt ${name}`),
    });
    const flac = { name: "no/3.flac", data: Buffer.from("fLaC 12 bytes and more") };
    const { status, json } = await upload(
      makeZip([wav("yes/1.wav"), wav("yes/2.wav"), flac, image("no/cover.png")]),
    );
    expect(status).toBe(201);
    expect(json).toMatchObject({
      kind: "audio-folder",
      versions: [
        {
          classes: { yes: 2, no: 1 },
          skipped: [{ path: "no/cover.png", reason: "is not a WAV or FLAC" }],
        },
      ],
    });
  });

  it("leaves out pictures that were cut off, and says which of which class", async () => {
    const torn = { name: "cat/torn.png", data: png("a whole picture").subarray(0, -9) };
    const { status, json } = await upload(makeZip([...twoClasses, torn]));
    expect(status).toBe(201);
    expect((json as Dataset).versions[0]).toMatchObject({
      classes: { cat: 1, dog: 1 },
      skipped: [{ path: "cat/torn.png", reason: "is cut off: its end is missing" }],
    });
    const none = await upload(makeZip([torn, { ...torn, name: "dog/torn.png" }]));
    const { code, message } = ErrorEnvelope.parse(none.json).error;
    expect([none.status, code]).toEqual([400, "archive-empty"]);
    expect(message).toContain("None of the 2 files can be read: cat/torn.png is");
  });

  it("without a common top folder is read as well", async () => {
    const { json } = await upload(makeZip(twoClasses));
    expect((json as Dataset).versions[0]?.classes).toEqual({ cat: 1, dog: 1 });
  });

  it.each<[string, ZipEntry]>([
    ["points upward", image("cat/../../evil.png")],
    ["is absolute", image("/etc/evil.png")],
    ["points upward with back slashes", image("cat\\..\\..\\evil.png")],
    ["is a link", { ...image("cat/link.png"), mode: 0o120777 }],
    ["is there twice", image("cat/1.png")],
    [
      "claims more than any image has",
      { ...image("cat/huge.png"), isDeflated: true, claimedSize: 2 ** 31 },
    ],
  ])("is refused whole when an entry %s", async (_, entry) => {
    expect(await codeOf([...twoClasses, entry])).toEqual([400, "archive-unsafe"]);
    expect(leftovers()).toEqual([]);
  });

  it("is refused when a file of texts has the name of a folder beside it", async () => {
    const text = Buffer.from("words");
    const entries = ["a.txt/b.txt", "a.txt"].map((name) => ({ name, data: text }));
    expect(await codeOf(entries)).toEqual([400, "archive-unsafe"]);
  });

  it("is refused when it unpacks to far more than it weighs", async () => {
    const data = Buffer.concat([png(""), Buffer.alloc(80 * 1024 * 1024)]);
    const bomb = { name: "cat/bomb.png", data, isDeflated: true };
    expect(await codeOf([...twoClasses, bomb])).toEqual([400, "archive-unsafe"]);
  });

  it("is refused when an entry is encrypted, lies about its size, or when it is no zip", async () => {
    const encrypted = { ...image("cat/2.png"), flags: 1 };
    expect(await codeOf([...twoClasses, encrypted])).toEqual([400, "archive-unreadable"]);
    const liar = { ...image("cat/2.png"), isDeflated: true, claimedSize: 3 };
    expect(await codeOf([...twoClasses, liar])).toEqual([400, "archive-unreadable"]);
    expect(await upload(Buffer.from("not a zip"))).toMatchObject({
      status: 400,
      json: { error: { code: "archive-unreadable" } },
    });
    expect(leftovers()).toEqual([]);
  });

  it("needs two classes with images in them", async () => {
    expect(await codeOf([])).toEqual([400, "archive-empty"]);
    expect(await codeOf([image("cat/1.png")])).toEqual([400, "archive-empty"]);
    expect(await codeOf([image("1.png")])).toEqual([400, "archive-empty"]);
  });

  it("is refused when it is too large or of another type", async () => {
    const large = await upload(Buffer.alloc(3 * 1024 * 1024));
    expect(large).toMatchObject({ status: 413, json: { error: { code: "body-too-large" } } });
    expect((await upload(makeZip(twoClasses), "application/octet-stream")).status).toBe(415);
    expect(leftovers()).toEqual([]);
  });
});

describe("data roots", () => {
  it("let in what really lies below them and nothing else", async () => {
    const { folder } = await makeTestPlace();
    const root = path.join(folder, "root");
    mkdirSync(path.join(root, "images"), { recursive: true });
    mkdirSync(path.join(folder, "root-beside"));
    symlinkSync(os.tmpdir(), path.join(root, "leak"));
    const roots = new DataRoots([root]);
    expect(await roots.resolve(path.join(root, "images"))).toBe(path.join(root, "images"));
    expect(await roots.resolve("images")).toBe(path.join(root, "images"));
    const codes = await Promise.all(
      [
        path.join(folder, "root-beside"),
        path.join(root, "../root-beside"),
        path.join(root, "leak"),
        "/etc",
        "../root-beside",
        path.join(root, "missing"),
        "a\u0000b",
      ].map((wanted) => roots.resolve(wanted).catch((error: { code: string }) => error.code)),
    );
    expect(codes).toEqual([
      ...Array(5).fill("path-not-allowed"),
      "path-not-found",
      "path-not-found",
    ]);
    const file = path.join(root, "file");
    writeFileSync(file, "");
    const misspelt = new DataRoots([root, path.join(folder, "nowhere"), file]);
    expect(await misspelt.missing()).toEqual([path.join(folder, "nowhere"), file]);
    const none = new DataRoots([]).resolve(root);
    await expect(none).rejects.toMatchObject({ code: "path-not-allowed" });
  });
});

describe("texts", () => {
  const row = (text: string, label: string) => JSON.stringify({ text, label });

  it("are taken as one file, counted by label, and shown", async () => {
    const lines = [row("很好", "good"), row("x".repeat(600), "bad"), row("fine", "good")];
    const { status, json } = await uploadText("reviews.jsonl", lines.join("\n"));
    expect(status).toBe(201);
    const dataset = json as Dataset;
    const [version] = dataset.versions;
    expect(dataset.kind).toBe("text");
    expect(version).toMatchObject({
      ...{ num_files: 1, num_rows: 3, columns: ["text", "label"] },
      classes: { good: 2, bad: 1 },
    });
    const folder = path.join(server.home, "datasets", String(version?.id));
    expect(readdirSync(folder)).toEqual(["reviews.jsonl"]);
    const config = { data: { dataset_version: version?.id ?? 0 } };
    const wrong = server.client.call(createRun, { body: { recipe: "vision", config } });
    await expect(wrong).rejects.toMatchObject({
      code: "config-invalid",
      message: "config.data: the dataset Texts v1 holds texts; vision learns from images",
    });
    const { rows } = await server.client.call(previewDatasetVersion, {
      params: { version_id: version?.id ?? 0 },
      query: { limit: "2" },
    });
    expect(rows).toEqual([
      { path: "reviews.jsonl", row: 1, fields: { text: "很好", label: "good" }, is_cut: false },
      {
        ...{ path: "reviews.jsonl", row: 2, is_cut: true },
        fields: { text: "x".repeat(500), label: "bad" },
      },
    ]);
  });

  it("are taken from a zip: class folders, or tables in a folder of their own", async () => {
    const text = (name: string): ZipEntry => ({ name, data: Buffer.from(`about ${name}`) });
    const folders = (await upload(makeZip([text("set/cat/1.txt"), text("set/dog/1.txt")]))).json;
    expect(folders as Dataset).toMatchObject({
      kind: "text",
      versions: [{ classes: { cat: 1, dog: 1 }, num_rows: 2, num_files: 2 }],
    });
    const table = { name: "corpus/a.csv", data: Buffer.from("text,label\nhello,x\n") };
    const readme = { name: "corpus/about.pdf", data: Buffer.from("%PDF") };
    const tables = (await upload(makeZip([table, text("corpus/b.txt"), readme]))).json as Dataset;
    expect(tables.versions[0]).toMatchObject({ num_files: 2, columns: ["text", "label"] });
    expect(tables.versions[0]?.skipped).toHaveLength(1);
    const folder = path.join(server.home, "datasets", String(tables.versions[0]?.id));
    expect(readdirSync(folder).sort()).toEqual(["a.csv", "b.txt"]);
  });

  it("that no training could read are refused with file and row, and nothing is kept", async () => {
    const { status, json } = await uploadText("reviews.csv", "text,label\nfine,good\na,b,c\n");
    const { error } = ErrorEnvelope.parse(json);
    expect([status, error.code]).toEqual([400, "text-invalid"]);
    expect(error.message).toContain("reviews.csv: row 3 has 3 fields");
    expect(error.details).toEqual({ file: "reviews.csv", row: 3 });
    const bad = { name: "texts/a.jsonl", data: Buffer.from("no json\n") };
    expect(await codeOf([bad])).toEqual([400, "text-invalid"]);
    expect(leftovers()).toEqual([]);
    expect((await uploadText("../../evil.exe", "x")).status).toBe(415);
    expect((await uploadText(".hidden.txt", "x")).status).toBe(415);
  });
});
