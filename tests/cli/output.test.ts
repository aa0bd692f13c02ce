// Where `-o` may and may not write: whatever it names, nothing is touched that is not ours.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { testFolder } from "../folder.ts";
import { omnibal } from "./run.ts";

const folder = testFolder();
const bounds = ["--max-vit=9", "--max-tokens=4096", "-q"];

/** Every path below `at`, with what is in the files. */
function contents(at: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(at, { recursive: true, withFileTypes: true })
      .map((entry) => [join(entry.parentPath, entry.name), entry] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, entry]) => [path.slice(at.length), entry.isFile() ? readFileSync(path, "latin1") : "folder"]),
  );
}

/** A folder as users have them: what they would miss, and what a packing is made of. */
function precious(name: string): string {
  const at = join(folder, name);
  mkdirSync(join(at, "data", "deep"), { recursive: true });
  writeFileSync(join(at, "data", "precious.bin"), "years of work");
  writeFileSync(join(at, "data", "deep", "weights.bin"), "more of it");
  writeFileSync(join(at, "notes.txt"), "notes");
  const samples = [5, 0, 9, 12, 4].map((vit, i) => ({ vit_num: vit, token_num: 100 * i }));
  writeFileSync(join(at, "len.json"), JSON.stringify(samples));
  writeFileSync(join(at, "groups.json"), "[[2],[0,1],[4]]");
  return at;
}

const runs = [
  ...["json", "jsonl", "npy", "xtuner"].map((format) => ["pack", format]),
  ...["json", "npy", "xtuner"].map((format) => ["plan", format]),
];

/** Runs `command` in `cwd`, writing as `format` to where `output` says. */
function write(cwd: string, command: string, format: string, ...output: string[]) {
  const own = command === "pack" ? bounds : ["--packing=groups.json", "--ranks=2", "-q"];
  return omnibal([command, "len.json", ...own, "--format", format, ...output], { cwd });
}

describe("a wrong name of the output deletes nothing", () => {
  const wrong: readonly (readonly string[])[] = [
    ["-o", ""],
    ["--output="],
    ["--output", ""],
    ["-o", "missing/.."],
    ["-o", "missing/../"],
    ["-o", "missing/../data"],
    ["-o", "missing/../new"],
    ["-o", "."],
    ["-o", "./"],
    ["-o", ".."],
    ["-o", "data"],
    ["-o", "data/"],
    ["-o", "data/.."],
    ["-o", "data/deep/.."],
    ["-o", "len.json/.."],
    ["-o", "/"],
    ["-o", "link"],
    ["-o", "link/.."],
  ];

  test.each(runs)("%s --format %s", (command, format) => {
    const at = precious(`${command}-${format}`);
    const outside = precious(`${command}-${format}-outside`);
    symlinkSync(join(outside, "data"), join(at, "link"));
    const before = contents(at);
    const outsideBefore = contents(outside);
    for (const output of wrong) {
      const { code, out, err } = write(at, command, format, ...output);
      const name = output[1] ?? output[0].slice("--output=".length);
      expect([output, code, out]).toEqual([output, name === "" ? 2 : 1, ""]);
      expect(err).toMatch(/^omnibal: [^\n]+\n$/);
      expect(contents(at)).toEqual(before);
      expect(contents(outside)).toEqual(outsideBefore);
    }
  });

  test("an empty name is wrong usage and says so", () => {
    const at = precious("empty");
    for (const [command, format] of runs) {
      expect(write(at, command, format, "-o", "").err).toBe(
        `omnibal: --output is empty, expected the name of a file or folder (see omnibal ${command} --help)\n`,
      );
    }
  });

  test("a name through a folder that is there is followed, not rewritten as text", () => {
    const at = precious("through");
    const outside = precious("through-outside");
    symlinkSync(join(outside, "data", "deep"), join(at, "link"));
    expect(write(at, "pack", "json", "-o", "link/../new.json").code).toBe(0);
    expect(existsSync(join(at, "new.json"))).toBe(false);
    expect(statSync(join(outside, "data", "new.json")).isFile()).toBe(true);
  });
});

describe("a folder of before", () => {
  test.each(runs.filter(([, format]) => !format.startsWith("json")))("%s %s: replaced twice", (command, format) => {
    const at = precious(`again-${command}-${format}`);
    expect(write(at, command, format, "-o", "out").code).toBe(0);
    const first = contents(join(at, "out"));
    cpSync(join(at, "out"), join(at, "kept"), { recursive: true });
    expect(write(at, command, format, "-o", "out").code).toBe(0);
    expect(contents(join(at, "out"))).toEqual(first);
    expect(readdirSync(at).filter((name) => name.includes("out"))).toEqual(["out"]);
  });

  test("a subfolder called offsets.npy is no file of ours", () => {
    const at = precious("subfolder");
    mkdirSync(join(at, "out", "offsets.npy"), { recursive: true });
    writeFileSync(join(at, "out", "offsets.npy", "precious.bin"), "kept");
    const before = contents(at);
    const { code, err } = write(at, "pack", "npy", "-o", "out");
    expect([code, err]).toEqual([1, "omnibal: out: offsets.npy in it is not a regular file: name another folder\n"]);
    expect(contents(at)).toEqual(before);
  });
});
