import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { InputError, load } from "../../src/index.ts";
import { type Format, formats, type Written, writeAs } from "../../src/write/index.ts";
import { readNpy, testFolder } from "../folder.ts";
import { needs, unless } from "../needs.ts";
import { samples } from "../samples.ts";

const folder = testFolder();
const omnibal = await load();

function packed(vit: ArrayLike<number>, tokens: ArrayLike<number>, sizes: readonly number[]): Written {
  const lengths = { vit: Int32Array.from(vit), tokens: Int32Array.from(tokens) };
  return {
    core: omnibal.core,
    packing: omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096 }),
    tokens: lengths.tokens,
    files: sizes.map((size, i) => ({ path: `part ${i}.json`, samples: size })),
  };
}

function format(name: string): Format {
  return formats.find((candidate) => candidate.name === name)!;
}

const small = packed([5, 0, 9, 12, 4], [2000, 1558, 93, 93, 5000], [2, 0, 3]);

describe("npy", () => {
  test("groups in CSR form and the oversize samples", async () => {
    const out = join(folder, "npy");
    await writeAs(format("npy"), small, out);
    expect(readdirSync(out).sort()).toEqual(["indices.npy", "offsets.npy", "oversize.npy", "packing.json"]);
    expect(readNpy(join(out, "offsets.npy"))).toEqual({
      header: "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }",
      values: [0, 1, 3],
    });
    expect(readNpy(join(out, "indices.npy")).values).toEqual([2, 0, 1]);
    expect(readNpy(join(out, "oversize.npy")).values).toEqual([3, 4]);
  });

  test("more values than one piece", async () => {
    const { vit, tokens } = samples("tiled:20000");
    const written = packed(vit, tokens, [20000]);
    const out = join(folder, "npy-long");
    await writeAs(format("npy"), written, out);
    expect(readNpy(join(out, "indices.npy")).values).toEqual(Array.from(written.packing.indices));
    expect(readNpy(join(out, "offsets.npy")).values).toEqual(Array.from(written.packing.offsets));
    expect(readNpy(join(out, "oversize.npy"))).toEqual({
      header: "{'descr': '<i8', 'fortran_order': False, 'shape': (0,), }",
      values: [],
    });
  });
});

describe("xtuner", () => {
  test("rows say which file and where in it, also past a file without samples", async () => {
    const out = join(folder, "xtuner");
    await writeAs(format("xtuner"), small, out);
    expect(readdirSync(out).sort()).toEqual([
      "boundaries.npy",
      "oversize.npy",
      "packing.json",
      "paths.json",
      "samples.npy",
    ]);
    expect(readNpy(join(out, "boundaries.npy")).values).toEqual([0, 1, 3]);
    expect(readNpy(join(out, "samples.npy"))).toEqual({
      header: "{'descr': '<i8', 'fortran_order': False, 'shape': (3, 6), }",
      values: [2, 0, -1, -1, 0, 93, 0, 0, -1, -1, 0, 2000, 0, 1, -1, -1, 0, 1558],
    });
    expect(readNpy(join(out, "oversize.npy"))).toEqual({
      header: "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 6), }",
      values: [2, 1, -1, -1, 0, 93, 2, 2, -1, -1, 0, 5000],
    });
    expect(JSON.parse(readFileSync(join(out, "paths.json"), "utf8"))).toEqual([
      "part 0.json",
      "part 1.json",
      "part 2.json",
    ]);
  });
});

describe("OUT is whole or as it was", () => {
  /** Fails after its first piece, as a full disk would. */
  const failing = {
    file: {
      name: "file",
      about: "",
      *file() {
        yield new Uint8Array(10);
        throw new Error("enough");
      },
    },
    folder: {
      name: "folder",
      about: "",
      folder: {
        first: () => [new Uint8Array(10)],
        *second() {
          yield new Uint8Array(10);
          throw new Error("enough");
        },
      },
    },
  } satisfies Record<string, Format>;

  test("a file that fails", async () => {
    const here = join(folder, "failing-file");
    mkdirSync(here);
    await expect(writeAs(failing.file, small, join(here, "new"))).rejects.toThrow("enough");
    expect(readdirSync(here)).toEqual([]);
    writeFileSync(join(here, "old"), "kept");
    await expect(writeAs(failing.file, small, join(here, "old"))).rejects.toThrow("enough");
    expect(readdirSync(here)).toEqual(["old"]);
    expect(readFileSync(join(here, "old"), "utf8")).toBe("kept");
  });

  test("a folder that fails", async () => {
    const here = join(folder, "failing-folder");
    mkdirSync(join(here, "old"), { recursive: true });
    writeFileSync(join(here, "old", "first"), "kept");
    await expect(writeAs(failing.folder, small, join(here, "new"))).rejects.toThrow("enough");
    await expect(writeAs(failing.folder, small, join(here, "old"))).rejects.toThrow("enough");
    expect(readdirSync(here)).toEqual(["old"]);
    expect(readFileSync(join(here, "old", "first"), "utf8")).toBe("kept");
  });

  test("files and folders of before are replaced, with nothing left beside them", async () => {
    const here = join(folder, "replace");
    mkdirSync(here);
    for (let run = 0; run < 2; run++) {
      for (const { name } of formats) await writeAs(format(name), small, join(here, name));
    }
    expect(readdirSync(here).sort()).toEqual(["json", "jsonl", "npy", "xtuner"]);
    expect(JSON.parse(readFileSync(join(here, "json"), "utf8")).groups).toEqual([[2], [0, 1]]);
    expect(readNpy(join(here, "npy", "indices.npy")).values).toEqual([2, 0, 1]);
  });

  test("a link stays one, and what it points to is replaced", async () => {
    const here = join(folder, "link");
    mkdirSync(here);
    writeFileSync(join(here, "real"), "old");
    symlinkSync("real", join(here, "link"));
    await writeAs(format("json"), small, join(here, "link"));
    expect(lstatSync(join(here, "link")).isSymbolicLink()).toBe(true);
    expect(readlinkSync(join(here, "link"))).toBe("real");
    expect(JSON.parse(readFileSync(join(here, "real"), "utf8")).oversize).toEqual([3, 4]);
  });

  test(
    "a device is written to, not replaced",
    needs(unless(existsSync("/dev/null"), "there is no /dev/null")),
    async () => {
      await writeAs(format("json"), small, "/dev/null");
      expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    },
  );

  test("what stands in the way is named", async () => {
    const here = join(folder, "in the way");
    mkdirSync(join(here, "folder"), { recursive: true });
    writeFileSync(join(here, "folder", "mine.txt"), "");
    writeFileSync(join(here, "file"), "");
    const refusal = async (name: string, out: string) => {
      const error = await writeAs(format(name), small, out).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(InputError);
      return (error as Error).message.replaceAll(folder, "");
    };
    expect(await refusal("json", join(here, "folder"))).toBe(
      "/in the way/folder: is a folder, json is written as a file",
    );
    expect(await refusal("npy", join(here, "file"))).toBe("/in the way/file: is not a folder, npy is written as one");
    expect(await refusal("npy", join(here, "folder"))).toBe(
      "/in the way/folder: holds mine.txt, which is not of npy: name another folder",
    );
    expect(await refusal("json", join(here, "none", "x"))).toBe(
      "/in the way/none/x: cannot be written, /in the way/none is not a folder",
    );
    expect(readdirSync(here).sort()).toEqual(["file", "folder"]);
  });
});

test("a slow stream is waited for: one piece is under way at a time", async () => {
  const { vit, tokens } = samples("tiled:200000");
  const written = packed(vit, tokens, [200000]);
  let bytes = 0;
  let most = 0;
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length;
      most = Math.max(most, slow.writableLength);
      setTimeout(done, 1);
    },
  });
  await writeAs(format("json"), written, slow);
  expect(bytes).toBeGreaterThan(1_000_000);
  expect(most).toBeLessThanOrEqual(65536);
});
