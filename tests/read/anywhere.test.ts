// Inputs that are no paths: the same samples, and the same errors, as from a file.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { EngineError, InputError, load, OptionError } from "../../src/index.ts";
import { Gunzip } from "../../src/read/gunzip.ts";
import { type Folder, type Input, readLengths, readPacking, readPlan } from "../../src/read/index.ts";
import { type Source, StreamSource } from "../../src/read/peekable.ts";
import { packingFiles, planFiles } from "../../src/write/bytes.ts";
import { writeAs } from "../../src/write/index.ts";
import { testFolder } from "../folder.ts";
import { npy } from "../npy-bytes.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const folder = testFolder();
const { vit, tokens } = samples("tiled:4000");
const rows = Array.from(vit, (v, i): [number, number] => [v, tokens[i]]);
const lines = rows.map(([v, t]) => `{"vit_num":${v},"token_num":${t}}`);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const contents: Record<string, Uint8Array> = {
  "a.json": bytesOf(`[${lines}]`),
  "a.csv": bytesOf(`vit_num,token_num\n${rows.join("\n")}\n`),
  "a.npy": npy(rows, { descr: "<i4" }),
  "a.jsonl.gz": gzipSync(lines.join("\n")),
};

/** Bytes in every way but a path. */
function waysOf(name: string, bytes: Uint8Array): Record<string, Input> {
  const buffer = new Uint8Array(bytes).buffer;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const off = new Uint8Array(bytes.length + 24);
  off.set(bytes, 3);
  return {
    File: new File([buffer], name),
    Blob: { name, data: new Blob([buffer]) },
    ReadableStream: { name, data: new Blob([buffer]).stream() },
    "Node's stream": { name, data: Readable.from([bytes.subarray(0, 10), bytes.subarray(10)]) },
    ArrayBuffer: { name, data: buffer },
    "shared memory": { name, data: shared },
    "a part of a buffer": { name, data: off.subarray(3, 3 + bytes.length) },
    DataView: { name, data: new DataView(off.buffer, 3, bytes.length) },
    "slices at once": {
      name,
      byteLength: buffer.byteLength,
      slice: (start: number, end?: number) => buffer.slice(start, end),
    },
    "slices to come": {
      name,
      byteLength: buffer.byteLength,
      slice: async (start: number, end?: number) => new Uint8Array(buffer).subarray(start, end),
    },
  };
}

async function refusal(input: Input | readonly Input[]): Promise<Error> {
  return readLengths(input, { omnibal }).then(
    () => expect.unreachable("no error"),
    (error: Error) => error,
  );
}

describe.each(Object.entries(contents))("%s", (name, bytes) => {
  test.each(Object.entries(waysOf(name, bytes)))("%s", async (_, input) => {
    const seen: [number, number | undefined][] = [];
    const read = await readLengths(input, { omnibal, onProgress: (...own) => seen.push(own) });
    expect(read).toEqual({ vit, tokens, files: [{ path: name, samples: vit.length }] });
    expect(seen.at(-1)?.[0]).toBe(bytes.length);
  });
});

test("several of several kinds, one after another, paths among them", async () => {
  const path = join(folder, "a.csv");
  writeFileSync(path, contents["a.csv"]);
  const { files, tokens: all } = await readLengths([path, contents["a.npy"], new Blob([`[${lines[7]}]`])]);
  expect(files).toEqual([
    { path, samples: 4000 },
    { path: "buffer", samples: 4000 },
    { path: "blob", samples: 1 },
  ]);
  expect(all.at(-1)).toBe(tokens[7]);
});

test("numbers of more than a byte are their bytes", async () => {
  const text = '[{"vit_num":1,"token_num":2}] ';
  expect(await readLengths(new Uint16Array(bytesOf(text).buffer), { omnibal })).toMatchObject({
    tokens: Int32Array.of(2),
  });
});

describe("messages", () => {
  test("call an input by its name, which cannot act on a terminal, or by what it is", async () => {
    const bad = "[1]";
    const own = (name: string) => `${name}: record 0, byte 1: found 1, expected a record: {`;
    const slice = (start: number, end?: number) => bytesOf(bad).slice(start, end);
    for (const [input, name] of [
      [new File([bad], "\x1b[2J\u202elist.json"), "\\x1b[2J\\u202elist.json"],
      [new Blob([bad]), "blob"],
      [bytesOf(bad), "buffer"],
      [{ byteLength: 3, slice }, "buffer"],
      [{ name: "remote\n", byteLength: 3, slice }, "remote\\x0a"],
      [new Blob([bad]).stream(), "stream"],
      [{ name: "own\x07", data: bytesOf(bad) }, "own\\x07"],
    ] as const) {
      expect((await refusal(input)).message).toBe(own(name));
    }
  });

  test("name what is no input", async () => {
    for (const input of [undefined, 7, null, {}, { name: "a" }, { byteLength: 3 }, () => {}]) {
      const error = await refusal([input as unknown as Input]);
      expect(error).toBeInstanceOf(OptionError);
      expect(error.message).toMatch(/^an input is .*, expected a path, a File or Blob, a ReadableStream, /);
    }
  });

  test("name slices that are not what was asked for, and streams that cannot be read", async () => {
    const slices = (slice: () => unknown) => ({ byteLength: 9, slice }) as Input;
    expect((await refusal(slices(() => new ArrayBuffer(3)))).message).toBe(
      "buffer: the slice from byte 0 to 9 has 3 bytes, expected 9",
    );
    expect((await refusal(slices(() => "text"))).message).toBe('buffer: a slice is "text", expected an ArrayBuffer');
    const offline = new TypeError("offline");
    expect(await refusal(slices(() => Promise.reject(offline)))).toBe(offline);
    const locked = new Blob(["[]"]).stream();
    locked.getReader();
    expect((await refusal(locked)).message).toBe("stream: is locked, somebody else reads it");
    expect((await refusal(Readable.from(["text"]))).message).toBe("stream: got a string, expected bytes (Uint8Array)");
  });

  test("a file that is gone since it was chosen", async () => {
    const gone = { name: "gone.json", size: 9, arrayBuffer: async () => {}, slice: () => gone } as unknown as File;
    gone.arrayBuffer = () => Promise.reject(new DOMException("permission problems", "NotReadableError"));
    const error = await refusal(gone);
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toBe("gone.json: cannot be read (permission problems)");
  });

  test("a meta file that is no path: nothing that it names is opened", async () => {
    writeFileSync(join(folder, "named.json"), contents["a.json"]);
    const meta = new File([JSON.stringify({ a: { token_lengths: join(folder, "named.json") } })], "meta.json");
    expect((await refusal(meta)).message).toBe(
      "meta.json: is a meta file, whose paths are followed only if it is given by its own: give the files that it names",
    );
  });
});

test("a stream is given up where its content is refused", async () => {
  let reason: unknown = "none";
  const stream = new ReadableStream({
    pull: (controller) => controller.enqueue(bytesOf("nonsense".repeat(40))),
    cancel: (why) => {
      reason = why;
    },
  });
  expect((await refusal({ name: "a.json", data: stream })).message).toBe(
    "a.json: record 0, byte 0: found n, expected an array of records or a record: [ or {",
  );
  expect(reason).toBeUndefined();
  expect(stream.locked).toBe(false);
});

describe("the instance that is given", () => {
  test("is the one that reads, alone while it does, and free afterwards", async () => {
    const core = omnibal.core;
    const before = core.abi.mark();
    let busy: unknown;
    const tryToPack = () => {
      try {
        omnibal.pack({ vit, tokens }, { maxVit: 9, maxTokens: 4096 });
      } catch (error) {
        busy ??= error;
      }
    };
    await readLengths({ name: "stream.json", data: chunks(contents["a.json"], tryToPack) }, { omnibal });
    expect(busy).toBeInstanceOf(EngineError);
    expect((busy as EngineError).code).toBe("BUSY");
    expect(core.abi.mark()).toBe(before);
    expect(omnibal.pack({ vit, tokens }, { maxVit: 9, maxTokens: 4096 }).length).toBeGreaterThan(1);
  });

  test("is free after an error and an abort", async () => {
    await refusal(new Blob(["[1]"]));
    const { signal } = { signal: AbortSignal.abort(new Error("enough")) };
    await expect(readLengths(contents["a.json"], { omnibal, signal })).rejects.toThrow("enough");
    expect(omnibal.pack({ vit, tokens }, { maxVit: 9, maxTokens: 4096 }).length).toBeGreaterThan(1);
  });
});

async function* chunks(bytes: Uint8Array, each: () => void = () => {}, size = 65536) {
  for (let at = 0; at < bytes.length; at += size) {
    each();
    yield bytes.subarray(at, at + size);
  }
}

describe("gzip without the host's zlib", () => {
  const text = lines.slice(0, 300).join("\n");
  const small = bytesOf(text.slice(0, 400));
  const members = Buffer.concat([gzipSync(small.subarray(0, 100)), gzipSync(""), gzipSync(small.subarray(100))]);

  async function unpacked(packed: Uint8Array, size: number, room: number): Promise<string> {
    const source: Source = new Gunzip(new StreamSource("x.gz", true, chunks(packed, undefined, size)));
    const into = new Uint8Array(room);
    let out = "";
    for (let have = await source.read(into); have > 0; have = await source.read(into)) {
      out += Buffer.from(into.subarray(0, have)).toString("latin1");
    }
    await source.close();
    return out;
  }

  test("members, cut anywhere, into little room and much, and zeros after them", async () => {
    for (const room of [1, 7, 1000]) {
      for (const size of [1, 2, 9, 50, 1000]) {
        for (const packed of [members, Buffer.concat([members, Buffer.alloc(500)])]) {
          expect(await unpacked(packed, size, room)).toBe(Buffer.from(small).toString("latin1"));
        }
      }
    }
    expect(await unpacked(gzipSync(Buffer.alloc(1 << 20)), 100, 1 << 16)).toBe("\0".repeat(1 << 20));
  });

  test("cut short, damaged or followed by something: the words that the host's zlib gives", async () => {
    const cases = [
      ...Array.from({ length: members.length - 2 }, (_, i) => members.subarray(0, i + 2)),
      ...Array.from({ length: members.length }, (_, at) => {
        const bytes = Buffer.from(members);
        bytes[at] ^= 1 << (at % 8);
        return bytes;
      }),
      Buffer.concat([members, Buffer.from("text")]),
      Buffer.concat([members, Buffer.alloc(9), members]),
    ];
    let refused = 0;
    for (const bytes of cases) {
      const path = join(folder, "case.gz");
      writeFileSync(path, bytes);
      const { openFile } = await import("../../src/read/source.ts");
      const native = await openFile(path)
        .then(async (source) => {
          try {
            const into = new Uint8Array(1 << 16);
            let out = "";
            for (let have = await source.read(into); have > 0; have = await source.read(into)) {
              out += Buffer.from(into.subarray(0, have)).toString("latin1");
            }
            return out;
          } finally {
            await source.close();
          }
        })
        .catch((error: Error) => error.message.replace(path, "x.gz"));
      // Without its magic it is no gzip, which is for others to find.
      if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) continue;
      const own = await unpacked(bytes, 64, 512).catch((error: Error) => error.message);
      expect(own).toBe(native);
      if (own.startsWith("x.gz: ")) refused++;
    }
    expect(refused).toBeGreaterThan(members.length);
  });
});

describe("packings and plans", async () => {
  const lengths = await readLengths({ name: "a.json", data: contents["a.json"] }, { omnibal });
  const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096 });
  const plan = omnibal.plan(packing, { ranks: 4 });
  const joined = (pieces: Iterable<Uint8Array>) => new Uint8Array(Buffer.concat(Array.from(pieces)));
  const entriesOf = (files: ReadonlyMap<string, Iterable<Uint8Array>>) =>
    Array.from(files, ([name, pieces]) => [name, joined(pieces)] as const);

  test.each(["json", "jsonl", "npy", "xtuner"])(
    "%s: as bytes, in a Map, in an object, and on the disk",
    async (format) => {
      const entries = entriesOf(packingFiles(omnibal, packing, lengths, format));
      const out = join(folder, `packing-${format}`);
      if (entries.length > 1) mkdirSync(out);
      for (const [name, bytes] of entries) writeFileSync(entries.length > 1 ? join(out, name) : out, bytes);
      const inputs: (Input | Folder)[] =
        entries.length === 1
          ? [entries[0][1], new Blob([entries[0][1]]), out]
          : [
              new Map(entries),
              Object.fromEntries(entries.map(([name, bytes]) => [name, new Blob([bytes]).stream()])),
              new Map(entries.map(([name]) => [name, join(out, name)])),
              out,
            ];
      for (const input of inputs) {
        let done = 0;
        const read = await readPacking(omnibal, input, lengths, { onProgress: (bytes) => (done = bytes) });
        expect(read.indices).toEqual(packing.indices);
        expect(read.offsets).toEqual(packing.offsets);
        expect(done).toBe(entries.reduce((sum, [, bytes]) => sum + bytes.length, 0));
      }
    },
  );

  test.each(["json", "npy"])("a plan as %s", async (format) => {
    const entries = entriesOf(planFiles(omnibal, plan, packing, lengths, format));
    const input: Input | Folder = entries.length === 1 ? new Blob([entries[0][1]]) : new Map(entries);
    const read = await readPlan(input, { fits: { omnibal, packing } });
    expect(read.order).toEqual(plan.order);
    const other = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096, seed: 7 });
    await expect(readPlan(input, { fits: { omnibal, packing: other } })).rejects.toThrow(
      `${format === "json" ? "blob" : "folder"}: made for another packing`,
    );
  });

  test("bytes are those that go to the disk, as often as they are asked for", async () => {
    const out = join(folder, "same.json");
    const { formats } = await import("../../src/write/index.ts");
    await writeAs(formats[0], { core: omnibal.core, packing, ...lengths }, out);
    const pieces = packingFiles(omnibal, packing, lengths).get("packing.json") ?? [];
    expect(await readPacking(omnibal, out, lengths)).toEqual(await readPacking(omnibal, joined(pieces), lengths));
    expect(joined(pieces)).toEqual(joined(pieces));
    expect(() => packingFiles(omnibal, packing, lengths, "parquet")).toThrow(
      'format is "parquet", expected one of json, jsonl, npy, xtuner',
    );
  });

  test("files that are not there, not whole, or being written", async () => {
    const entries = entriesOf(packingFiles(omnibal, packing, lengths, "npy"));
    const without = (name: string) => new Map(entries.filter(([own]) => own !== name));
    const message = (input: Folder) => readPacking(omnibal, input, lengths).catch((error: Error) => error.message);
    expect(await message(without("indices.npy"))).toBe("indices.npy: no such file");
    expect(await message(without("offsets.npy"))).toBe(
      "folder: no packing: neither offsets.npy nor boundaries.npy is in this folder",
    );
    expect(await message({})).toBe("folder: no packing: neither offsets.npy nor boundaries.npy is in this folder");
    const cut = entries.map(([name, bytes]) => [name, name === "offsets.npy" ? bytes.slice(0, -8) : bytes] as const);
    expect(await message(new Map(cut))).toMatch(/^offsets\.npy: the file ends after \d+ of \d+ values$/);
    const file = { bytes: 1, sha256: "0".repeat(64) };
    const commit = { omnibal: "commit", version: 1, work: ".omnibal-0123456789abcdef", files: { "offsets.npy": file } };
    expect(await message(new Map([...entries, ["commit.json", bytesOf(JSON.stringify(commit))]]))).toMatch(
      /^commit\.json: the folder is being written, or a run that wrote it was killed/,
    );
    expect(await message(new Map([...entries, ["commit.json", bytesOf("{}")]]))).toMatchObject({
      length: packing.length,
    });
  });
});
