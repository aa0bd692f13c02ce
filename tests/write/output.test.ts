// OUT, as the library writes it: whatever it names, nothing is touched that is not ours, and at no moment is it half there.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InputError, load } from "../../src/index.ts";
import { Claim } from "../../src/write/claim.ts";
import { type Format, formats, openOutput, type PlanWritten, planFormats, writeAs } from "../../src/write/index.ts";
import { contents, testFolder } from "../folder.ts";

const folder = testFolder();
const omnibal = await load();
const lengths = { vit: Int32Array.of(5, 0, 9, 12, 4), tokens: Int32Array.of(2000, 1558, 93, 93, 5000) };
const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096 });
const written: PlanWritten = {
  ...{ core: omnibal.core, packing, tokens: lengths.tokens, files: [{ path: "len.json", samples: 5 }] },
  plan: omnibal.plan(packing, { ranks: 2 }),
};

/** Every format, by its command: what a plan can be written of, a packing can be. */
const all: readonly (readonly [string, Format<PlanWritten>])[] = [
  ...formats.map((format) => [`pack ${format.name}`, format as Format<PlanWritten>] as const),
  ...planFormats.map((format) => [`plan ${format.name}`, format] as const),
];
const folders = all.filter(([, format]) => "folder" in format);
const [, json] = all[0];
const [, npy] = folders[0];

/** A folder as users have them. */
function precious(name: string): string {
  const at = join(folder, name);
  mkdirSync(join(at, "data", "deep"), { recursive: true });
  writeFileSync(join(at, "data", "precious.bin"), "years of work");
  writeFileSync(join(at, "data", "deep", "weights.bin"), "more of it");
  writeFileSync(join(at, "len.json"), "[]");
  return at;
}

/** The refusal of what must not be, which must leave everything as it is. */
async function refusal(at: string, write: () => Promise<void>): Promise<string> {
  const before = contents(at);
  const error = await write().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(contents(at)).toEqual(before);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).code).toBe("INVALID_OUTPUT");
  return (error as Error).message.replaceAll(`${at}/`, "");
}

function ours(at: string): string[] {
  return readdirSync(at, { recursive: true, encoding: "utf8" }).filter((name) => /omnibal|commit\.json/.test(name));
}

describe("a wrong name deletes nothing", () => {
  const wrong = [
    ...["", "missing/..", "missing/../", "missing/../data", "missing/../new", "missing/.", ".", "./", ".."],
    ...["data", "data/", "data/..", "data/deep/..", "len.json/..", "len.json/", "link", "link/", "link/.."],
  ];

  test.each(all)("%s", async (name, format) => {
    const at = precious(`wrong ${name}`);
    const outside = precious(`wrong ${name} outside`);
    symlinkSync(join(outside, "data"), join(at, "link"));
    const before = contents(outside);
    const cwd = process.cwd();
    process.chdir(at);
    try {
      for (const out of [...wrong, ...wrong.filter((own) => own !== "").map((own) => join(at, "/").concat(own)), "/"]) {
        expect(await refusal(at, () => writeAs(format, written, out))).toMatch(/^[^\n]+$/);
        expect(contents(outside)).toEqual(before);
      }
    } finally {
      process.chdir(cwd);
    }
  });

  test("a name through a folder that is there is followed, not rewritten as text", async () => {
    const at = precious("through");
    symlinkSync("data/deep", join(at, "link"));
    await writeAs(json, written, `${at}/link/../new.json`);
    expect(readdirSync(at)).not.toContain("new.json");
    expect(readdirSync(join(at, "data"))).toContain("new.json");
  });
});

describe("a folder of before", () => {
  test.each(folders)("%s: replaced, with its mode and those of its files", async (name, format) => {
    const at = precious(`again ${name}`);
    const out = join(at, "out");
    await writeAs(format, written, out);
    const first = contents(out);
    const [file] = readdirSync(out);
    chmodSync(out, 0o750);
    chmodSync(join(out, file), 0o640);
    const { ino } = statSync(out);
    await writeAs(format, written, out);
    expect(contents(out)).toEqual(first);
    expect(statSync(out)).toMatchObject({ ino, mode: 0o040750 });
    expect(statSync(join(out, file)).mode).toBe(0o100640);
    expect(ours(at)).toEqual([]);
  });

  test.each([
    ["offsets.npy in it is not a regular file", (out: string) => mkdirSync(join(out, "offsets.npy"))],
    ["offsets.npy in it is not a regular file", (out: string) => symlinkSync("x", join(out, "offsets.npy"))],
    ["holds mine.txt, which is not of npy", (out: string) => writeFileSync(join(out, "mine.txt"), "mine")],
    ["holds plan.npy, which is not of npy", (out: string) => writeFileSync(join(out, "plan.npy"), "mine")],
    ["holds commit.json, which is not of npy", (out: string) => writeFileSync(join(out, "commit.json"), "{}")],
    [".omnibal is in the way and not of this program", (out: string) => writeFileSync(join(out, ".omnibal"), "mine")],
    [
      "holds .omnibal-0123456789abcdef, which is not of npy",
      (out: string) => mkdirSync(join(out, ".omnibal-0123456789abcdef")),
    ],
  ])("what is not ours in it stops it: %s", async (why, make) => {
    const at = precious(`strange ${why} ${Math.random()}`);
    const out = join(at, "out");
    mkdirSync(out);
    make(out);
    expect(await refusal(at, () => writeAs(npy, written, out))).toContain(why);
  });
});

describe("what appears after it was claimed is left alone and reported", () => {
  const later: readonly (readonly [string, Format<PlanWritten>, boolean, (out: string) => void, string])[] = [
    ["a file in the folder", npy, true, (out) => writeFileSync(join(out, "mine.txt"), "mine"), "holds mine.txt"],
    [
      "a subfolder called offsets.npy",
      npy,
      true,
      (out) => {
        unlinkSync(join(out, "offsets.npy"));
        mkdirSync(join(out, "offsets.npy"));
      },
      "offsets.npy in it is not a regular file",
    ],
    ["a commit.json", npy, true, (out) => writeFileSync(join(out, "commit.json"), "{}"), "holds commit.json"],
    ["a file where a folder is to be", npy, false, (out) => writeFileSync(out, "mine"), "is now something other"],
    [
      "a file where a folder stood",
      npy,
      true,
      (out) => {
        renameSync(out, `${out}-moved`);
        writeFileSync(out, "mine");
      },
      "is now something other",
    ],
    [
      "a folder that holds something",
      npy,
      false,
      (out) => {
        mkdirSync(out);
        writeFileSync(join(out, "mine.txt"), "mine");
      },
      "holds mine.txt",
    ],
    ["a folder where a file is to be", json, false, (out) => mkdirSync(out), "is now something other"],
    ["a link where a file is to be", json, false, (out) => symlinkSync("data", out), "is now something other"],
    ["a link where a file stood", json, true, (out) => replaceByLink(out), "is now something other"],
  ];

  function replaceByLink(out: string): void {
    unlinkSync(out);
    symlinkSync("data/precious.bin", out);
  }

  test.each(later)("%s", async (name, format, before, change, why) => {
    const at = precious(`later ${name}`);
    const out = join(at, "out");
    if (before) await writeAs(format, written, out);
    const output = openOutput(format, out);
    change(out);
    const claims = Object.entries(contents(at)).filter(([path]) => /omnibal$/.test(path));
    const expected = Object.entries(contents(at)).filter(([path]) => !/omnibal$/.test(path));
    expect(claims).toHaveLength(1);
    await expect(output.write(written)).rejects.toThrow(`${out}: ${why}`);
    // A folder that was moved away takes the claim with it.
    const seen = Object.entries(contents(at)).filter(([path]) => !path.startsWith("/out-moved/.omnibal"));
    expect(seen).toEqual(expected);
  });

  test("while it is written: a subfolder called offsets.npy, a folder in the place of the new one", async () => {
    const at = precious("while");
    const old = join(at, "old");
    await writeAs(npy, written, old);
    const late = (change: () => void): Format<PlanWritten> => ({
      ...npy,
      folder: {
        ...("folder" in npy ? npy.folder : {}),
        *"oversize.npy"() {
          change();
          yield new Uint8Array(1);
        },
      },
    });
    const change = () => {
      unlinkSync(join(old, "offsets.npy"));
      mkdirSync(join(old, "offsets.npy"));
      writeFileSync(join(old, "offsets.npy", "precious.bin"), "mine");
    };
    await expect(writeAs(late(change), written, old)).rejects.toThrow("offsets.npy in it is not a regular file");
    expect(readFileSync(join(old, "offsets.npy", "precious.bin"), "utf8")).toBe("mine");
    const fresh = join(at, "new");
    await expect(
      writeAs(
        late(() => mkdirSync(fresh)),
        written,
        fresh,
      ),
    ).rejects.toThrow("has appeared while it was");
    expect([ours(at), readdirSync(fresh)]).toEqual([[], []]);
  });

  test("an empty folder is filled: its mode stays", async () => {
    const at = precious("later empty");
    const out = join(at, "out");
    const output = openOutput(npy, out);
    mkdirSync(out, { mode: 0o700 });
    await output.write(written);
    expect(statSync(out).mode).toBe(0o040700);
    expect([ours(at), readdirSync(out).includes("offsets.npy")]).toEqual([[], true]);
  });

  test("a folder that was removed is made anew", async () => {
    const at = precious("later gone");
    const out = join(at, "out");
    mkdirSync(out);
    const output = openOutput(npy, out);
    unlinkSync(join(out, ".omnibal"));
    rmdirSync(out);
    await output.write(written);
    expect([ours(at), readdirSync(out).includes("offsets.npy")]).toEqual([[], true]);
  });

  test("a claim that was removed by hand is made again, but not while files are replaced", async () => {
    const at = precious("unclaimed");
    for (const [name, claim, format] of [
      ["file", ".file.omnibal", json],
      ["folder", "folder/.omnibal", npy],
    ] as const) {
      await writeAs(format, written, join(at, name));
      const before = contents(at);
      const output = openOutput(format, join(at, name));
      unlinkSync(join(at, claim));
      await output.write(written);
      expect(contents(at)).toEqual(before);
      // Another run has it now.
      const late = openOutput(format, join(at, name));
      unlinkSync(join(at, claim));
      const other = openOutput(format, join(at, name));
      await expect(late.write(written)).rejects.toThrow("another run is writing it");
      other.close();
      const pieces = function* () {
        unlinkSync(join(at, claim));
        yield new Uint8Array(1);
      };
      const removing =
        "folder" in format
          ? { ...format, folder: { ...format.folder, "offsets.npy": pieces } }
          : { ...format, file: pieces };
      await expect(writeAs(removing, written, join(at, name))).rejects.toThrow("by which other runs know of this one");
      expect(contents(at)).toEqual(before);
    }
  });
});

describe("an output that is an input", () => {
  const open = (format: Format<PlanWritten>, at: string, out: string, ...inputs: string[]) =>
    refusal(at, async () =>
      openOutput(
        format,
        join(at, out),
        inputs.map((input) => (input === "-" ? input : join(at, input))),
      ).close(),
    );

  test("by its name, another spelling, a link or a hard link", async () => {
    const at = precious("inputs");
    symlinkSync("len.json", join(at, "link.json"));
    linkSync(join(at, "len.json"), join(at, "hard.json"));
    for (const out of ["len.json", "data/../len.json", "link.json", "hard.json"]) {
      expect(await open(json, at, out, "data/precious.bin", "len.json")).toMatch(
        /: is an input, read as len\.json: name another/,
      );
    }
    expect(await open(json, at, "hard.json", "link.json")).toContain("is an input, read as link.json: ");
    // Another file is none of them, nor is one that is not there.
    openOutput(json, join(at, "data/precious.bin"), [join(at, "len.json"), join(at, "missing")]).close();
    openOutput(json, join(at, "new.json"), [join(at, "len.json"), "/dev/null"]).close();
  });

  test("the packing's folder, a file in it, and a folder that an input is in", async () => {
    const at = precious("inputs folder");
    await writeAs(npy, written, join(at, "packing"));
    symlinkSync("packing", join(at, "also"));
    for (const [, format] of folders.filter(([name]) => name.endsWith("npy"))) {
      for (const out of ["packing", "also"])
        expect(await open(format, at, out, "packing")).toContain("is an input, read as");
      expect(await open(format, at, "packing", "packing/offsets.npy")).toContain(
        "is an input, read as packing/offsets.npy: ",
      );
    }
    expect(await open(json, at, "packing/indices.npy", "packing")).toContain(
      "is an input, read as packing/indices.npy: ",
    );
  });
});

describe("names, links and modes", () => {
  test.each([
    ["a file", json],
    ["a folder", npy],
  ])("names of up to 255 bytes: %s", async (kind, format) => {
    const at = precious(`long ${kind}`);
    for (const name of ["x".repeat(240), "é".repeat(120), "x".repeat(255)]) {
      for (let run = 0; run < 2; run++) await writeAs(format, written, join(at, name));
      expect(lstatSync(join(at, name)).isDirectory()).toBe(format === npy);
    }
    // Two that begin alike have claims of their own.
    const outputs = ["a", "b"].map((end) => openOutput(format, join(at, `${"x".repeat(200)}${end}`)));
    for (const output of outputs) await output.write(written);
    expect(ours(at)).toEqual([]);
  });

  test("the mode of a file is kept", async () => {
    const out = join(precious("mode"), "out.json");
    await writeAs(json, written, out);
    expect(statSync(out).mode & 0o7777).toBe(0o666 & ~process.umask());
    for (const mode of [0o600, 0o664, 0o755, 0o400]) {
      chmodSync(out, mode);
      await writeAs(json, written, out);
      expect(statSync(out).mode & 0o7777).toBe(mode);
    }
  });

  test("a link to nothing, or to a folder, stays one: what it names is written", async () => {
    const at = precious("links");
    symlinkSync("data/new.json", join(at, "file"));
    symlinkSync("file", join(at, "chain"));
    symlinkSync("data/new", join(at, "folder"));
    symlinkSync("loop", join(at, "loop"));
    symlinkSync("missing/x", join(at, "nowhere"));
    for (let run = 0; run < 2; run++) {
      await writeAs(json, written, join(at, "chain"));
      await writeAs(npy, written, join(at, "folder"));
    }
    expect(["chain", "file", "folder"].map((name) => readlinkSync(join(at, name)))).toEqual([
      ...["file", "data/new.json", "data/new"],
    ]);
    expect(readdirSync(join(at, "data")).sort()).toEqual(["deep", "new", "new.json", "precious.bin"]);
    expect(readdirSync(join(at, "data", "new"))).toContain("offsets.npy");
    expect(await refusal(at, () => writeAs(json, written, join(at, "loop")))).toContain("ELOOP");
    expect(await refusal(at, () => writeAs(json, written, join(at, "nowhere")))).toContain("is not a folder");
    expect(ours(at)).toEqual([]);
  });
});

describe("claims", () => {
  /** A process that is dead. */
  const { pid: dead } = spawnSync("true");
  const places = [
    ["a file", json, false],
    ["a new folder", npy, false],
    ["a folder", npy, true],
  ] as const;

  /** What a run that was killed leaves, but for changes: its claim, and what it was filling. */
  function leave(out: string, format: Format<PlanWritten>, exists: boolean, change: Record<string, unknown>): string {
    const path = exists ? join(out, ".omnibal") : join(out, "..", ".out.omnibal");
    const names = "folder" in format ? Object.keys(format.folder) : [];
    const { marker } = new Claim(out, path, names, () => {});
    unlinkSync(path);
    symlinkSync(JSON.stringify({ ...marker, pid: dead, ...change }), path);
    const drawn = `${path}-${marker.draw}`;
    if (names.length === 0) writeFileSync(drawn, "half");
    else {
      mkdirSync(drawn);
      writeFileSync(join(drawn, names[0]), "half");
    }
    return drawn;
  }

  async function scene(name: string, format: Format<PlanWritten>, exists: boolean): Promise<[at: string, out: string]> {
    const at = precious(`${name} ${Math.random()}`);
    if (exists) await writeAs(format, written, join(at, "out"));
    return [at, join(at, "out")];
  }

  test.each(places)("of two live ones the second is refused: %s", async (_, format, exists) => {
    const [at, out] = await scene("live", format, exists);
    const first = openOutput(format, out);
    expect(await refusal(at, async () => openOutput(format, `${at}/./out`).close())).toContain(
      `another run is writing it: process ${process.pid}, since "`,
    );
    await first.write(written);
    await writeAs(format, written, out);
    expect(ours(at)).toEqual([]);
  });

  test.each(places)("what a dead process left is put away: %s", async (_, format, exists) => {
    const [at, out] = await scene("dead", format, exists);
    leave(out, format, exists, {});
    await writeAs(format, written, out);
    expect(ours(at)).toEqual([]);
    // Another process has its number now, this one.
    leave(out, format, format === npy, { pid: process.pid, began: "1" });
    await writeAs(format, written, out);
    expect(ours(at)).toEqual([]);
  });

  test("of a new folder, also when it was killed just after it had its name", async () => {
    const [at, out] = await scene("just after", npy, true);
    leave(out, npy, false, {});
    await writeAs(npy, written, out);
    expect(ours(at)).toEqual([]);
  });

  test("of runs that were killed while they took over from one another", async () => {
    const [at, out] = await scene("takers", json, false);
    const draw = (drawn: string) => drawn.slice(-16);
    const first = leave(out, json, false, {});
    const path = join(at, ".out.omnibal");
    const taker = (after: string) => {
      const claim = new Claim(out, join(at, "x"), [], () => {});
      symlinkSync(JSON.stringify({ ...claim.marker, pid: dead }), after);
      claim.release();
      return `${after}-after-${claim.marker.draw}`;
    };
    const next = taker(`${path}-after-${draw(first)}`);
    taker(next);
    await writeAs(json, written, out);
    expect(ours(at)).toEqual([]);
  });

  test.each([
    ["another host", { host: "elsewhere\u001b[1m" }, 'on host "elsewhere'],
    ["another container", { processes: "pid:[1]" }, ", not to be seen from here; if it is gone, remove "],
    ["another machine of that name", { machine: "0123456789abcdef" }, "not to be seen from here"],
    ["a program to come", { version: 2 }, "is in the way and not of this program"],
    ["a draw that is a path", { draw: "../../data/precious" }, "is in the way and not of this program"],
    ["names that are paths", { names: ["../data/precious.bin"] }, "is in the way and not of this program"],
    ["a live process", { pid: process.ppid, began: "" }, `another run is writing it: process ${process.ppid}, since "`],
  ])("the claim of %s is named and left", async (name, change, why) => {
    for (const [, format, exists] of places) {
      const [at, out] = await scene(name, format, exists);
      leave(out, format, exists, change);
      expect(await refusal(at, () => writeAs(format, written, out))).toContain(why);
    }
  });

  test("an earlier boot of this machine is dead, unless it may be another machine", async () => {
    const [at, out] = await scene("boot", json, false);
    leave(out, json, false, { boot: "another", pid: process.pid });
    const { machine } = JSON.parse(readlinkSync(join(at, ".out.omnibal")));
    if (machine === "") expect(await refusal(at, () => writeAs(json, written, out))).toContain("not to be seen");
    else {
      await writeAs(json, written, out);
      expect(ours(at)).toEqual([]);
    }
  });

  test("a user's file in what a killed run left stays, and is named", async () => {
    for (const [, format, exists] of places) {
      const [at, out] = await scene("user", format, exists);
      const drawn = leave(out, format, exists, {});
      if (format === json) {
        unlinkSync(drawn);
        mkdirSync(drawn);
        expect(await refusal(at, () => writeAs(format, written, out))).toContain("and is something else");
        continue;
      }
      writeFileSync(join(drawn, "mine.txt"), "mine");
      expect(await refusal(at, () => writeAs(format, written, out))).toContain("holds mine.txt, which is not of it");
      unlinkSync(join(drawn, "mine.txt"));
      mkdirSync(join(drawn, "indices.npy"));
      expect(await refusal(at, () => writeAs(format, written, out))).toContain("holds indices.npy, which is not of");
      rmdirSync(join(drawn, "indices.npy"));
      await writeAs(format, written, out);
      expect(ours(at)).toEqual([]);
    }
  });
});

test("nothing in the package can remove a folder with what is in it", () => {
  const root = join(import.meta.dirname, "../..");
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const places = ["dist", "assembly", "examples/python/*.py"];
  expect(files).toEqual(expect.arrayContaining(places));
  const sources = ["src", ...places.map((place) => place.replace("/*.py", ""))].flatMap((place) =>
    readdirSync(join(root, place), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.([cm]?[jt]s|py)$/.test(name))
      .map((name) => join(place, name)),
  );
  expect(sources.length).toBeGreaterThan(100);
  /** Whatever can, under whatever name it is imported; without these a folder that is not empty stays. */
  const removal = /\brm(Sync)?\b|\brmdir(Sync)?\([^)]*,|\brmtree\b|\bremovedirs\b|\brimraf\b|\brecursive\b/;
  for (const known of [
    "rmSync(a)",
    "fs.rm(a, b)",
    "import { rm }",
    "rmdirSync(a, { x })",
    "shutil.rmtree(a)",
    "rm -r",
  ]) {
    expect(known).toMatch(removal);
  }
  const texts = sources.map((name) => [name, readFileSync(join(root, name), "utf8")] as const);
  expect(texts.filter(([, text]) => removal.test(text)).map(([name]) => name)).toEqual([]);
  /** What removes, renames or overwrites at all, all of it in these. */
  const touching = /\b(unlink|rmdir|rename|truncate|copyFile|cp|writeFile|appendFile|createWriteStream)(Sync)?\(/;
  const own = texts.filter(([name, text]) => name.startsWith("src") && touching.test(text)).map(([name]) => name);
  const allowed = ["measure/run/partial", "write/claim", "write/epochs", "write/folder", "write/output"];
  expect(own.sort()).toEqual(allowed.map((name) => `src/${name}.ts`));
});
