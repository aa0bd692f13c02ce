// A folder whose files are being replaced, or were by a run that was killed: the old one or the new one, and nothing else.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commitText } from "../../src/core/folder-commit.ts";
import { load } from "../../src/index.ts";
import { readWhole } from "../../src/read/folder.ts";
import { readPacking, readPlan } from "../../src/read/index.ts";
import { type Format, formats, type PlanWritten, planFormats, writeAs } from "../../src/write/index.ts";
import { testFolder } from "../folder.ts";
import { samples } from "../samples.ts";

const folder = testFolder();
const omnibal = await load();
const { vit, tokens } = samples("tiled:1000");
const lengths = { vit, tokens, files: [{ path: "len.json", samples: 1000 }] };
const version = (seed: number): PlanWritten => {
  const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096, rounds: 2, seed });
  return { core: omnibal.core, packing, tokens, files: lengths.files, plan: omnibal.plan(packing, { ranks: 4 }) };
};
const versions = [version(1), version(2)];

/** Each folder format with what its reader makes of a folder. */
const kinds: readonly (readonly [string, Format<PlanWritten>, (out: string) => Promise<Int32Array>])[] = [
  ["npy", formats.find(({ name }) => name === "npy") as Format<PlanWritten>, indices],
  ["xtuner", formats.find(({ name }) => name === "xtuner") as Format<PlanWritten>, indices],
  ["plan npy", planFormats.find(({ name }) => name === "npy")!, async (out) => (await readPlan(out)).order],
  ["plan npy, its packing", planFormats.find(({ name }) => name === "npy")!, indices],
  ["plan xtuner, its packing", planFormats.find(({ name }) => name === "xtuner")!, indices],
];

async function indices(out: string): Promise<Int32Array> {
  return (await readPacking(omnibal, out, lengths)).indices;
}

const WORK = ".omnibal-0123456789abcdef";

/** The old folder with the new one committed, and the first `moved` of its files in their places. */
async function halfway(name: string, format: Format<PlanWritten>, moved: number): Promise<string> {
  const out = join(folder, `${name} ${moved}`);
  await writeAs(format, versions[0], out);
  await writeAs(format, versions[1], join(out, "..", WORK));
  renameSync(join(out, "..", WORK), join(out, WORK));
  const names = readdirSync(join(out, WORK));
  const sums = names.map((own) => {
    const bytes = readFileSync(join(out, WORK, own));
    return [own, { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") }];
  });
  writeFileSync(join(out, "commit.json"), commitText({ work: WORK, files: Object.fromEntries(sums) }));
  for (const own of names.slice(0, moved)) renameSync(join(out, WORK, own), join(out, own));
  return out;
}

function listing(at: string): string[] {
  return readdirSync(at, { recursive: true, encoding: "utf8" }).sort();
}

describe.each(kinds)("%s", (name, format, read) => {
  const files = Object.keys("folder" in format ? format.folder : {}).length;

  test("committed, with any number of files in place: the new one, and nothing is changed by reading", async () => {
    const whole = join(folder, `${name} whole`);
    await writeAs(format, versions[1], whole);
    const expected = await read(whole);
    for (let moved = 0; moved <= files; moved++) {
      const out = await halfway(name, format, moved);
      const before = listing(out);
      expect(await read(out)).toEqual(expected);
      expect(listing(out)).toEqual(before);
      // The next run finishes it, even one that then fails.
      const failing = { ...format, folder: { ...("folder" in format ? format.folder : {}), "offsets.npy": fail } };
      await expect(writeAs(failing as Format<PlanWritten>, versions[0], out)).rejects.toThrow();
      expect(listing(out)).toEqual(listing(whole));
      expect(await read(out)).toEqual(expected);
    }
  });
});

describe.each([kinds[0], kinds[2]])("%s, busy", (name, format, read) => {
  test("replaced again and again while it is read: each time one or the other", async () => {
    const out = join(folder, `${name} busy`);
    const expected: Int32Array[] = [];
    for (const own of versions) {
      await writeAs(format, own, out);
      expected.push(await read(out));
    }
    expect(expected[0]).not.toEqual(expected[1]);
    let busy = true;
    const writing = (async () => {
      for (let turn = 0; turn < 8; turn++) {
        await writeAs(format, versions[turn % 2], out);
        await new Promise((later) => setTimeout(later, (turn % 4) * 20));
      }
      busy = false;
    })();
    const seen = [0, 0];
    while (busy) {
      const found = await read(out).catch((error: unknown) => {
        expect((error as Error).message).toContain("replaced again and again");
      });
      if (found === undefined) continue;
      const which = expected.findIndex((own) => own.length === found.length && own.every((v, i) => v === found[i]));
      expect(which).not.toBe(-1);
      seen[which]++;
    }
    await writing;
    expect(seen[0] + seen[1]).toBeGreaterThan(0);
  });
});

describe("a folder that is replaced between two of its files", () => {
  const [, npy] = kinds[0];
  /** Two files, with something in between. */
  const both = (between: () => Promise<void>) => async (fileOf: (name: string) => string) => {
    const offsets = readFileSync(fileOf("offsets.npy"));
    await between();
    return [offsets, readFileSync(fileOf("indices.npy"))];
  };
  const bothOf = (out: string) =>
    readWhole(
      out,
      both(async () => {}),
    );

  test("is read again, also where its reader failed", async () => {
    const whole = join(folder, "between whole");
    await writeAs(npy, versions[1], whole);
    for (const fails of [false, true]) {
      const out = join(folder, `between ${fails}`);
      await writeAs(npy, versions[0], out);
      let turns = 0;
      const found = await readWhole(
        out,
        both(async () => {
          if (turns++ > 0) return;
          await writeAs(npy, versions[1], out);
          if (fails) throw new Error("no such file");
        }),
      );
      expect([turns, found]).toEqual([2, await bothOf(whole)]);
    }
  });

  test("every time is an error, not a mixture", async () => {
    const out = join(folder, "between always");
    await writeAs(npy, versions[0], out);
    let turns = 0;
    const reading = readWhole(
      out,
      both(() => writeAs(npy, versions[++turns % 2], out)),
    );
    await expect(reading).rejects.toThrow(`${out}: replaced again and again while it is read`);
    expect(turns).toBe(5);
  });
});

function fail(): never {
  throw new Error("the disk is full");
}

describe("a commit.json", () => {
  const [name, npy] = kinds[0];
  const reading = (out: string) => readWhole(out, async (fileOf) => readFileSync(fileOf("offsets.npy")).length);

  test("whose files are not all there is an error, for readers and for the next run", async () => {
    const out = await halfway(`${name} torn`, npy, 1);
    // As `cp OUT/*` copies it, without what begins with a dot.
    const copy = `${out} copy`;
    cpSync(out, copy, { recursive: true, filter: (path) => !path.endsWith(WORK) });
    await expect(indices(copy)).rejects.toThrow("not the file that commit.json beside it names");
    const before = listing(copy);
    await expect(writeAs(npy, versions[0], copy)).rejects.toThrow(/is not the file that .*commit\.json names/);
    expect(listing(copy)).toEqual(before);
    // One byte is another.
    const file = join(out, WORK, readdirSync(join(out, WORK))[0]);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(file, bytes);
    await expect(indices(out)).rejects.toThrow("not the file that commit.json beside it names");
    await expect(writeAs(npy, versions[0], out)).rejects.toThrow(/is not the file that .*commit\.json names/);
  });

  test("of somebody else is none", async () => {
    const out = join(folder, "others");
    await writeAs(npy, versions[0], out);
    const expected = await indices(out);
    for (const text of ["", "[]", '{"author":"me"}', '{"work":"x","files":{}}', "null"]) {
      writeFileSync(join(out, "commit.json"), text);
      expect(await indices(out)).toEqual(expected);
      await expect(writeAs(npy, versions[1], out)).rejects.toThrow("holds commit.json, which is not of npy");
    }
    rmSync(join(out, "commit.json"));
    mkdirSync(join(out, "commit.json"));
    expect(await indices(out)).toEqual(expected);
  });

  test("leads nowhere but into the folder", async () => {
    const out = join(folder, "leading");
    await writeAs(npy, versions[0], out);
    writeFileSync(join(folder, "secret"), "");
    const sum = { bytes: 0, sha256: createHash("sha256").digest("hex") };
    for (const commit of [
      { work: "..", files: { secret: sum } },
      { work: "../.omnibal-0123456789abcdef", files: { "offsets.npy": sum } },
      { work: WORK, files: { "../secret": sum } },
      { work: WORK, files: { "..": sum } },
      { work: WORK, files: {} },
      { work: WORK, files: { "offsets.npy": { bytes: -1, sha256: sum.sha256 } } },
      { work: WORK, files: { "offsets.npy": { bytes: 0, sha256: "x" } } },
    ]) {
      writeFileSync(join(out, "commit.json"), commitText(commit));
      await expect(reading(out)).rejects.toThrow("no list of files with sizes and hashes");
    }
    writeFileSync(join(out, "commit.json"), '{"omnibal":"commit","version":2}');
    await expect(reading(out)).rejects.toThrow("version is not 1");
  });
});
