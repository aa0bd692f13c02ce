// What an unfinished run keeps: whose it is, and that it is whole whenever a process dies.
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { COLUMNS } from "../../src/measure/columns.ts";
import { Partial } from "../../src/measure/run/partial.ts";
import { omnibal } from "../cli/run.ts";
import { testFolder } from "../folder.ts";
import { dataSet, lines, modelFolder } from "./model-folder.ts";

const folder = testFolder();
const built = pathToFileURL(join(import.meta.dirname, "../../dist/measure/run/partial.js")).href;
const crash = pathToFileURL(join(import.meta.dirname, "../write/crash.mjs")).href;

/** Arguments of a process that has Partial, and the name `out`. */
const script = (text: string, out: string) => [
  ...["--input-type=module", "-e", `import { Partial } from ${JSON.stringify(built)};`.concat(text), out],
];

/** A process dies while it holds what is kept for `out`. */
function killed(out: string): void {
  const { signal } = spawnSync(
    process.execPath,
    script(`Partial.open(process.argv[1], "key", false); process.kill(process.pid, "SIGKILL");`, out),
  );
  expect(signal).toBe("SIGKILL");
}

const heldBy = (folder: string) => join(folder, ".omnibal");

describe("one run at a time", () => {
  modelFolder(join(folder, "model"));
  writeFileSync(join(folder, "raw.jsonl"), lines(dataSet(folder, 3)));
  const measure = (out: string) =>
    omnibal(["measure", "--model", "model", "-q", "raw.jsonl", "--workers=0", "-o", out], { cwd: folder });

  test("the second is refused while the first lives, and nothing is left once one has ended", () => {
    const first = Partial.open(join(folder, "live.jsonl"), "another key", false);
    expect(measure("./live.jsonl")).toEqual({
      code: 1,
      out: "",
      err: expect.stringMatching(
        `^omnibal: \\./live\\.jsonl: another run is writing it: process ${process.pid}, since "[^"]+"\n$`,
      ),
    });
    expect(() => Partial.open(join(folder, "live.jsonl"), "another key", true)).toThrow("another run is writing it");
    expect(lstatSync(heldBy(first.folder)).isSymbolicLink()).toBe(true);
    first.remove();
    expect(measure("live.jsonl")).toEqual({ code: 0, out: "", err: "" });
    expect(readdirSync(folder).filter((name) => name.includes("live"))).toEqual([
      "live.jsonl",
      "live.jsonl.report.jsonl",
    ]);
  });

  test("a run that is refused for its data gives up its claim", () => {
    const out = join(folder, "other.jsonl");
    const first = Partial.open(out, "key", false);
    first.checkpoint();
    first.close();
    for (let i = 0; i < 2; i++) {
      expect(() => Partial.open(out, "another key", false)).toThrow("an unfinished run with other data or options");
    }
    writeFileSync(join(first.folder, "checkpoint.json"), "{");
    for (let i = 0; i < 2; i++) expect(() => Partial.open(out, "key", false)).toThrow("is not JSON; --restart starts");
    Partial.open(out, "another key", true).remove();
    expect(existsSync(first.folder)).toBe(false);
  });

  test("a file that is not ours keeps the folder, and a claim that is not ours is left", () => {
    const first = Partial.open(join(folder, "mine.jsonl"), "key", false);
    writeFileSync(join(first.folder, "mine.txt"), "mine");
    first.remove();
    expect(readdirSync(first.folder)).toEqual(["mine.txt"]);
    writeFileSync(heldBy(first.folder), "mine");
    const why = `${heldBy(first.folder)} is in the way and not of this program`;
    expect(() => Partial.open(join(folder, "mine.jsonl"), "key", false)).toThrow(why);
    expect(readFileSync(heldBy(first.folder), "utf8")).toBe("mine");
  });

  test("a run whose claim was removed by hand writes nothing more", () => {
    const out = join(folder, "gone.jsonl");
    const first = Partial.open(out, "key", false);
    const sample = new Float64Array(COLUMNS.length).fill(1);
    first.add(sample, []);
    first.checkpoint();
    rmSync(heldBy(first.folder));
    const second = Partial.open(out, "key", false);
    second.add(sample.fill(2), []);
    for (const more of [() => first.add(sample, []), () => first.checkpoint()]) {
      expect(more).toThrow(`${heldBy(first.folder)} is gone, by which other runs know of this one`);
    }
    first.close();
    expect(second.read(0, 2)).toEqual(Float64Array.from({ length: 2 * COLUMNS.length }, (_, i) => (i < 7 ? 1 : 2)));
    second.remove();
    expect(existsSync(second.folder)).toBe(false);
  });

  test("what a run left that was killed while it replaced a claim is removed, and nobody else's", () => {
    const out = join(folder, "left.jsonl");
    killed(out);
    const held = heldBy(join(folder, ".left.jsonl.measuring"));
    const dead = readlinkSync(held);
    // A run that saw an earlier claim, and was killed before it saw that this one had come in its place.
    const passing = `${held}-after-0123456789abcdef`;
    symlinkSync(dead, passing);
    const live = JSON.parse(dead) as Record<string, unknown>;
    symlinkSync(JSON.stringify({ ...live, host: "elsewhere" }), `${held}-after-00000000000000ff`);
    Partial.open(out, "key", false).close();
    expect(readdirSync(join(held, ".."))).not.toContain(basename(passing));
    expect(readdirSync(join(held, ".."))).toContain(".omnibal-after-00000000000000ff");
    rmSync(`${held}-after-00000000000000ff`);
    Partial.open(out, "key", false).remove();
    expect(existsSync(join(held, ".."))).toBe(false);
  });

  test("names that differ at their end only, or are long in bytes, have folders of their own", () => {
    const names = [`${"é".repeat(120)}.1`, `${"é".repeat(120)}.2`, `${"m".repeat(230)}.1`, `${"m".repeat(230)}.2`];
    const all = names.map((name) => Partial.open(join(folder, name), "key", false));
    expect(new Set(all.map((one) => one.folder)).size).toBe(4);
    for (const one of all) one.remove();
  });

  test("two names of one OUT share a folder", () => {
    writeFileSync(join(folder, "real.jsonl"), "");
    symlinkSync("real.jsonl", join(folder, "alias.jsonl"));
    const first = Partial.open(join(folder, "real.jsonl"), "key", false);
    expect(() => Partial.open(join(folder, "alias.jsonl"), "key", false)).toThrow("another run is writing it");
    first.remove();
  });

  test("a link to nothing in place of the folder is refused", () => {
    symlinkSync("nowhere", join(folder, ".link.jsonl.measuring"));
    const open = () => Partial.open(join(folder, "link.jsonl"), "key", false);
    expect(open).toThrow("nothing can be written beside it (ENOENT)");
  });

  test("of runs that race for a dead one's, and then for what each removes, one at a time has it", async () => {
    mkdirSync(join(folder, "race"));
    const out = join(folder, "race", "out.jsonl");
    killed(out);
    expect(lstatSync(heldBy(join(folder, "race", ".out.jsonl.measuring"))).isSymbolicLink()).toBe(true);
    // Whoever has it makes a file that must not be there; what else goes wrong than a refusal ends the process.
    const racer = `
      import { rmdirSync, mkdirSync } from "node:fs";
      const [, out] = process.argv;
      let held = 0;
      for (let i = 0; i < 300; i++) {
        let partial;
        try {
          partial = Partial.open(out, "key", false);
        } catch (error) {
          if (!error.message.includes("another run is writing it")) throw error;
          continue;
        }
        held++;
        mkdirSync(out + ".held");
        rmdirSync(out + ".held");
        partial.remove();
      }
      console.log(held);`;
    const ends = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, script(racer, out));
      const text = { out: "", err: "" };
      child.stdout.on("data", (chunk) => (text.out += chunk));
      child.stderr.on("data", (chunk) => (text.err += chunk));
      return new Promise<{ out: string; err: string }>((done) => child.on("close", () => done(text)));
    });
    const all = await Promise.all(ends);
    expect(all.map(({ err }) => err)).toEqual(["", "", "", ""]);
    expect(Math.max(...all.map(({ out }) => Number(out)))).toBeGreaterThan(0);
    expect(readdirSync(join(folder, "race"))).toEqual([]);
  }, 60_000);
});

test("killed at any call that changes the disk, it is taken up with all that the checkpoint says, or from the start", () => {
  const life = `
    const partial = Partial.open(process.argv[1], "key", false);
    for (let i = 0; i < 2; i++) {
      partial.add(new Float64Array(${COLUMNS.length}).fill(7), ['{"bad":' + i + "}"]);
      partial.endSegment(1);
      partial.checkpoint();
    }
    partial.remove();`;
  const seen: number[] = [];
  for (let at = 1; ; at++) {
    const out = join(folder, `at${at}.jsonl`);
    const { signal, status, stderr } = spawnSync(process.execPath, ["--import", crash, ...script(life, out)], {
      env: { ...process.env, CRASH_AT: String(at) },
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    const next = Partial.open(out, "key", false);
    const { samples, bad, segments } = next.progressed;
    expect([bad, segments.length]).toEqual([samples, samples]);
    expect(next.read(0, samples)).toEqual(new Float64Array(samples * COLUMNS.length).fill(7));
    expect([...next.problems()]).toEqual(['{"bad":0}', '{"bad":1}'].slice(0, samples));
    next.remove();
    expect(existsSync(next.folder)).toBe(false);
    seen.push(samples);
    if (signal === null) {
      expect(status).toBe(0);
      break;
    }
  }
  // From nothing to all of it, and back to nothing once it begins to be removed.
  expect(new Set(seen)).toEqual(new Set([0, 1, 2]));
  expect(seen.slice(seen.indexOf(2)).join("")).toMatch(/^2+0+$/);
}, 60_000);
