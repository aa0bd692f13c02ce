// Where bytes come from: gzip, named pipes, files of other formats.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError, load } from "../../src/index.ts";
import { readLengths, readPacking, readPlan } from "../../src/read/index.ts";
import { formats, planFormats, writeAs } from "../../src/write/index.ts";
import { omnibal as runOmnibal, start } from "../cli/run.ts";
import { testFolder } from "../folder.ts";
import { npy } from "../npy-bytes.ts";
import { samples } from "../samples.ts";

const omnibal = await load();
const folder = testFolder();

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function* stream(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function refusal(path: string, stdin?: AsyncIterable<Uint8Array>): Promise<string> {
  try {
    await readLengths([path], stdin === undefined ? {} : { stdin });
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message.replace(`${folder}/`, "");
  }
  throw new Error("no error");
}

const { vit, tokens } = samples("tiled:20000");
const rows = Array.from(vit, (v, i): [number, number] => [v, tokens[i]]);
const lines = rows.map(([v, t]) => `{"vit_num":${v},"token_num":${t}}`);
const texts: Record<string, string | Uint8Array> = {
  "a.json": `[${lines}]`,
  "a.jsonl": lines.join("\n"),
  "a.csv": `vit_num,token_num\n${rows.join("\n")}\n`,
  "a.tsv": `vit_num\ttoken_num\n${rows.map((row) => row.join("\t")).join("\n")}\n`,
  "a.npy": npy(rows, { descr: "<i4" }),
};

describe("gzip is read as what it holds", () => {
  test.each(Object.keys(texts))("%s, with .gz, without, and on standard input", async (name) => {
    const packed = gzipSync(texts[name]);
    const bare = name.replace(".", "-");
    for (const path of [file(`${name}.gz`, packed), file(name, packed), file(bare, packed)]) {
      const seen: number[] = [];
      const onProgress = (bytes: number, total: number | undefined) => {
        expect(total).toBe(packed.length);
        seen.push(bytes);
      };
      const lengths = await readLengths([path], { onProgress });
      expect(lengths.vit).toEqual(vit);
      expect(lengths.tokens).toEqual(tokens);
      // As much as is stored, and no step back.
      expect(seen.at(-1)).toBe(packed.length);
      expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    }
    for (const size of [1000, 65536]) {
      expect((await readLengths(["-"], { stdin: stream(packed, size) })).tokens).toEqual(tokens);
    }
  });

  test("members one after another, cut anywhere, and zeros after them", async () => {
    const small = lines.slice(0, 6);
    const members = Buffer.concat([
      gzipSync(`[${small.slice(0, 2)},`),
      gzipSync(""),
      gzipSync(small.slice(2, 5).join()),
      gzipSync(`,${small[5]}]`),
    ]);
    for (const packed of [members, Buffer.concat([members, Buffer.alloc(1000)])]) {
      for (let size = 1; size <= members.length; size += size < 30 ? 1 : 9) {
        const lengths = await readLengths(["-"], { stdin: stream(packed, size) });
        expect(lengths.tokens).toEqual(tokens.subarray(0, 6));
      }
      expect((await readLengths([file("members", packed)])).vit).toEqual(vit.subarray(0, 6));
    }
  });

  test("cut short at every length: an error, never fewer samples", async () => {
    const packed = gzipSync(lines.slice(0, 5).join("\n"));
    const two = Buffer.concat([packed, gzipSync("\n"), gzipSync(lines.slice(5, 9).join("\n"))]);
    const ends = new Set([packed.length, packed.length + gzipSync("\n").length]);
    for (let size = 2; size < two.length; size++) {
      if (ends.has(size)) continue;
      expect(await refusal("-", stream(two.subarray(0, size), 7))).toMatch(
        /^stdin: (the gzip data ends too early, it is cut short|the gzip data is damaged|record \d)/,
      );
    }
    expect(await refusal(file("cut.jsonl.gz", packed.subarray(0, -1)))).toBe(
      "cut.jsonl.gz: the gzip data ends too early, it is cut short",
    );
  });

  test("damaged anywhere: an error, or the same", async () => {
    const packed = gzipSync(lines.slice(0, 50).join("\n"));
    const stdin = (bytes: Uint8Array) => ({ stdin: stream(bytes, 64) });
    for (let at = 0; at < packed.length; at += 2) {
      const bytes = Buffer.from(packed);
      bytes[at] ^= 1 << ((at >> 1) % 8);
      const seen = await readLengths(["-"], stdin(bytes)).catch((error: unknown) => error);
      if (!(seen instanceof InputError)) expect(seen).toMatchObject({ tokens: tokens.subarray(0, 50) });
    }
    const damaged = Buffer.from(packed);
    damaged[packed.length - 6] ^= 1;
    expect(await refusal(file("damaged.gz", damaged))).toBe(
      "damaged.gz: the gzip data is damaged (incorrect data check)",
    );
  });

  test("followed by something else: nothing of it is passed over", async () => {
    const packed = gzipSync(lines[0]);
    const more = gzipSync(lines[1]);
    for (const size of [1, 7, 20, 60, 1000]) {
      const followed = (...rest: Uint8Array[]) => refusal("-", stream(Buffer.concat([packed, ...rest]), size));
      expect(await followed(Buffer.from("text"))).toBe("stdin: the gzip data is damaged (incorrect header check)");
      expect(await followed(Buffer.alloc(10), more)).toBe("stdin: the gzip data is followed by something else");
      expect(await followed(Buffer.alloc(3000), Buffer.from("x"))).toBe(
        "stdin: the gzip data is followed by something else",
      );
    }
  });

  test("twice: named", async () => {
    expect(await refusal(file("twice.gz", gzipSync(gzipSync("[]"))))).toBe(
      "twice.gz: is gzip within gzip, which is not supported: decompress it first",
    );
  });

  test("meta files, and the files they name", async () => {
    file("of-meta.csv.gz", gzipSync(texts["a.csv"]));
    const meta = file("meta.json.gz", gzipSync(JSON.stringify({ a: { token_lengths: "of-meta.csv.gz" } })));
    const lengths = await readLengths([meta]);
    expect(lengths.tokens).toEqual(tokens);
    expect(lengths.files).toEqual([{ path: join(folder, "of-meta.csv.gz"), name: "a", samples: tokens.length }]);
  });

  test("packings and plans", async () => {
    const lengths = { vit, tokens, files: [{ path: "a.json", samples: vit.length }] };
    const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096 });
    const text = Buffer.concat(Array.from(omnibal.packingText(packing, "json")));
    const done: number[] = [];
    const packed = gzipSync(text);
    const read = await readPacking(omnibal, file("p.json.gz", packed), lengths, {
      onProgress: (bytes, total) => {
        expect(total).toBe(packed.length);
        done.push(bytes);
      },
    });
    expect(read.indices).toEqual(packing.indices);
    expect(done.at(-1)).toBe(packed.length);
    const plan = omnibal.plan(packing, { ranks: 8 });
    await writeAs(planFormats[0], { core: omnibal.core, packing, plan, ...lengths }, join(folder, "plan.json"));
    const plain = await readPlan(join(folder, "plan.json"));
    expect(await readPlan(file("plan.json.gz", gzipSync(readFileSync(join(folder, "plan.json")))))).toEqual(plain);
    // An array of a folder, packed under its own name.
    const out = join(folder, "folder");
    await writeAs(formats.find(({ name }) => name === "npy")!, { core: omnibal.core, packing, ...lengths }, out);
    const indices = join(out, "indices.npy");
    writeFileSync(indices, gzipSync(readFileSync(indices)));
    expect((await readPacking(omnibal, out, lengths)).indices).toEqual(packing.indices);
  });
});

describe("files that are none of ours are named", () => {
  const parquet = Buffer.from("PAR1\x15\x04\x15\x10,\nPAR1", "latin1");

  test("as length files, by any name", async () => {
    const why = "is Parquet, which is not supported: convert it to JSON Lines or .npy first";
    for (const name of ["x.parquet", "x.csv", "x.json", "x"]) {
      expect(await refusal(file(name, parquet))).toBe(`${name}: ${why}`);
      expect(await refusal(file(`${name}.gz`, gzipSync(parquet)))).toBe(`${name}.gz: ${why}`);
    }
    expect(await refusal("-", stream(parquet, 1))).toBe(`stdin: ${why}`);
    expect(await refusal(file("x.npz", "PK\x03\x04rest"))).toBe(
      "x.npz: is a zip archive, which is not supported: unpack it first",
    );
    expect(await refusal(file("utf16.csv", Buffer.from("\ufeffvit_num,token_num\n1,2", "utf16le")))).toBe(
      "utf16.csv: is UTF-16 text, which is not supported: save it as UTF-8 first",
    );
  });

  test("as packings, plans and arrays", async () => {
    const path = file("y", parquet);
    const lengths = { vit, tokens, files: [] };
    await expect(readPacking(omnibal, path, lengths)).rejects.toThrow("y: is Parquet, which is not supported");
    await expect(readPlan(path)).rejects.toThrow("y: is Parquet, which is not supported");
    mkdirSync(join(folder, "arrays"));
    writeFileSync(join(folder, "arrays/offsets.npy"), Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1]));
    await expect(readPacking(omnibal, join(folder, "arrays"), lengths)).rejects.toThrow(
      "offsets.npy: is Zstandard, which is not supported: decompress it first",
    );
  });

  test("a table whose first column has such a name is a table", async () => {
    for (const name of ["PAR1", "ORC", "BZh9", "ARROW1"]) {
      const { tokens } = await readLengths([file("t", `${name},vit_num,token_num\n1,2,3\n`)]);
      expect(Array.from(tokens)).toEqual([3]);
    }
  });

  test("any beginning is an answer", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (bytes) => {
        await readLengths(["-"], { stdin: stream(bytes, 9) }).catch((error: unknown) => {
          expect(error).toBeInstanceOf(InputError);
        });
      }),
      { numRuns: 300 },
    );
  });
});

describe.runIf(process.platform === "linux")("named pipes", () => {
  const pipe = (name: string) => {
    const path = join(folder, name);
    execFileSync("mkfifo", [path]);
    return path;
  };
  const write = (path: string, command: string) => spawn("sh", ["-c", `${command} > "$0"`, path], { stdio: "ignore" });

  test("one without a writer: a word after a moment, and then what is written", async () => {
    const path = pipe("late");
    const waited: string[] = [];
    const reading = readLengths([path], {
      onWait: (name) => {
        waited.push(name);
        write(path, `printf '{"vit_num":1,"token_num":2}'`);
      },
    });
    expect(Array.from((await reading).tokens)).toEqual([2]);
    expect(waited).toEqual([path]);
  });

  test("a writer that is there: no word; more than a pipe holds; gzip too", async () => {
    const path = pipe("there");
    file("large.jsonl", `${lines.join("\n")}\n`.repeat(20));
    file("large.jsonl.gz", gzipSync(`${lines.join("\n")}\n`.repeat(20)));
    for (const name of ["large.jsonl", "large.jsonl.gz"]) {
      write(path, `cat '${join(folder, name)}'`);
      const waited: string[] = [];
      const lengths = await readLengths([path], { onWait: (name) => waited.push(name) });
      expect(lengths.vit.length).toBe(20 * vit.length);
      expect(waited).toEqual([]);
    }
  });

  test("a writer that writes nothing: an empty file", async () => {
    const path = pipe("empty");
    write(path, ":");
    expect(await refusal(path)).toMatch(/^empty: the file is empty/);
  });

  test("an abort ends the wait", async () => {
    const path = pipe("aborted");
    const stop = new AbortController();
    const reading = readLengths([path], { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(reading).rejects.toThrow("enough");
  });

  test.each(["lengths", "packing", "plan"])(
    "the command line waits for a %s: it says so, and Ctrl-C ends it",
    async (what) => {
      const path = pipe(`command-${what}`);
      file("some.json", "[]");
      file("packing.json", "[]");
      const args = {
        lengths: ["stats", path],
        packing: ["evaluate", "--ranks=1", "--packing", path, "some.json"],
        plan: ["evaluate", "--plan", path, "--packing", "packing.json", "some.json"],
      }[what] as string[];
      const { child, end } = start(args, folder);
      await new Promise((heard) => child.stderr.once("data", heard));
      child.kill("SIGINT");
      expect(await end).toEqual({
        code: 130,
        err: `omnibal: ${path}: waiting for somebody to write to this named pipe\n`,
      });
    },
  );

  test("--packing by a pipe is read", () => {
    const path = pipe("packing-pipe");
    file("two.json", '[{"vit_num":1,"token_num":2},{"vit_num":1,"token_num":2}]');
    write(path, "printf '[[1,0]]'");
    const { code, out } = runOmnibal(["evaluate", "--ranks=1", "--json", "--packing", path, "two.json"], {
      cwd: folder,
    });
    expect([code, JSON.parse(out).samples]).toEqual([0, 2]);
  });
});
