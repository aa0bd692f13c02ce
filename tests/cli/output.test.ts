// Where `-o` may and may not write, as a user types it; tests/write/output.test.ts has the cases.
import { linkSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { contents, testFolder } from "../folder.ts";
import { omnibal, shell, start } from "./run.ts";

const folder = testFolder();
const bounds = ["--max-vit=9", "--max-tokens=4096", "-q"];

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
    ["-o="],
    ["-o", "missing/.."],
    ["-o", "missing/../data"],
    ["-o", "."],
    ["-o", "data/deep/.."],
  ];

  test.each([
    ["pack", "json"],
    ["plan", "npy"],
  ])("%s --format %s", (command, format) => {
    const at = precious(`${command}-${format}`);
    const before = contents(at);
    for (const output of wrong) {
      const { code, out, err } = write(at, command, format, ...output);
      const isEmpty = output[1] === "" || output[0].endsWith("=");
      expect([output, code, out]).toEqual([output, isEmpty ? 2 : 1, ""]);
      expect(err).toMatch(/^omnibal: [^\n]+\n$/);
      expect(contents(at)).toEqual(before);
    }
  });

  test.each(runs)("an empty name is wrong usage and says so: %s --format %s", (command, format) => {
    const at = precious(`empty-${command}-${format}`);
    const before = contents(at);
    expect(write(at, command, format, "-o", "")).toEqual({
      code: 2,
      out: "",
      err: `omnibal: --output is empty, expected the name of a file or folder (see omnibal ${command} --help)\n`,
    });
    expect(contents(at)).toEqual(before);
  });

  test("-o=x is x, -o =x is =x", () => {
    const at = precious("equals");
    for (const output of [["-o=x"], ["-qo=y"], ["-o", "=x"], ["-o=z", "-o", "w"]]) {
      expect(write(at, "pack", "json", ...output).code).toBe(0);
    }
    const before = ["data", "groups.json", "len.json", "notes.txt"];
    expect(readdirSync(at).sort()).toEqual([...before, "w", "x", "y", "=x"].sort());
  });
});

describe("an output that is an input", () => {
  const refused = (at: string, command: string, out: string, read: string) => {
    const before = contents(at);
    const shown = read === "-" ? "standard input" : read;
    expect(shell(`$OMNIBAL ${command} -q -o ${out}`, at)).toEqual({
      code: 1,
      out: "",
      err: `omnibal: ${out}: is an input, read as ${shown}: name another output\n`,
    });
    expect(contents(at)).toEqual(before);
  };
  const pack = `pack ${bounds.join(" ")}`;

  test("any FILE, --packing, a file that a meta file names, standard input", () => {
    const at = precious("inputs");
    linkSync(join(at, "len.json"), join(at, "hard.json"));
    writeFileSync(join(at, "meta.json"), '{"one":{"token_lengths":"len.json"}}');
    refused(at, `${pack} notes.txt len.json`, "data/../hard.json", "len.json");
    refused(at, "plan len.json --packing groups.json --ranks 2", "groups.json", "groups.json");
    refused(at, "plan len.json --packing groups.json --ranks 2", "len.json", "len.json");
    refused(at, `${pack} meta.json`, "hard.json", join(at, "len.json"));
    refused(at, `< len.json ${pack} -`, "len.json", "-");
  });

  test("a packing's folder", () => {
    const at = precious("inputs-folder");
    expect(write(at, "pack", "npy", "-o", "packing").code).toBe(0);
    refused(at, "plan len.json --packing packing --ranks 2 --format npy", "packing/", "packing");
  });
});

describe("closed standard output", () => {
  const why = "omnibal: standard output: is closed (to discard it, use > /dev/null)\n";

  test.each([
    ...["--help", "--version", "pack --help", "stats len.json", `pack len.json ${bounds.join(" ")}`],
    ...["plan len.json --packing groups.json --ranks 2 -q", "search len.json --ranks 1 --samples-per-group 1"],
    "evaluate len.json --packing groups.json --ranks 1 -q",
  ])("is an error: %s", (command) => {
    const at = precious(`closed ${command.slice(0, 20)}`);
    expect(shell(`$OMNIBAL ${command} >&-`, at)).toMatchObject({ code: 1, err: why });
  });

  test("is not missed where nothing is printed, nor is /dev/null closed", () => {
    const at = precious("not-closed");
    expect(shell(`$OMNIBAL pack len.json ${bounds.join(" ")} -o out >&-`, at)).toMatchObject({ code: 0, err: "" });
    expect(shell("$OMNIBAL stats len.json > /dev/null", at)).toMatchObject({ code: 0, err: "" });
  });
});

/** A run that reads its samples from a pipe, so that the test decides when it goes on. */
async function waiting(at: string, format: string, out: string) {
  const { child, end } = start(["pack", "-", ...bounds, "--format", format, "-o", out], at);
  const run = { child, end, isRefused: false, goOn: () => child.stdin.end(readFileSync(join(at, "len.json"))) };
  const ended = end.then(() => {
    run.isRefused = true;
  });
  // Bytes are taken by a process that has claimed OUT; one that is refused ends before.
  child.stdin.on("error", () => {});
  const taken = new Promise<void>((done) => child.stdin.write(" ".repeat(1 << 20), (error) => error ?? done()));
  await Promise.race([ended, taken]);
  return run;
}

describe("runs to the same OUT", () => {
  const kinds = [
    ["json", "nothing"],
    ["npy", "nothing"],
    ["npy", "old"],
  ] as const;

  function begin(name: string, format: string, before: string): string {
    const at = precious(`${name}-${format}-${before}`);
    if (before === "old") expect(write(at, "pack", format, "-o", "out").code).toBe(0);
    return at;
  }

  const nothingLeft = (at: string) =>
    expect(Object.keys(contents(at)).filter((path) => /omnibal|commit/.test(path))).toEqual([]);

  test.each(kinds)(
    "the second is refused, and of six that find a killed run's claim all but one: %s over %s",
    async (format, before) => {
      const at = begin("race", format, before);
      const first = await waiting(at, format, "out");
      expect(first.isRefused).toBe(false);
      expect(write(at, "pack", format, "-o", "./out")).toEqual({
        code: 1,
        out: "",
        err: expect.stringMatching(
          `^omnibal: \\./out: another run is writing it: process ${first.child.pid}, since "[^"]+"\n$`,
        ),
      });
      first.child.kill("SIGKILL");
      await first.end;
      const six = await Promise.all(Array.from({ length: 6 }, () => waiting(at, format, "out")));
      const goingOn = six.filter((run) => !run.isRefused);
      expect(goingOn).toHaveLength(1);
      goingOn[0].goOn();
      const ends = await Promise.all(six.map(({ end }) => end));
      expect(ends.map(({ code }) => code).sort()).toEqual([0, 1, 1, 1, 1, 1]);
      nothingLeft(at);
    },
  );

  test("where links cannot be made, a claim is a file", () => {
    const noLinks = `data:text/javascript,${encodeURIComponent(
      `import fs from "node:fs"; import { syncBuiltinESMExports } from "node:module";
       fs.symlinkSync = () => { throw Object.assign(new Error("no links"), { code: "EPERM", syscall: "symlink" }); };
       syncBuiltinESMExports();`,
    )}`.replaceAll("'", "%27");
    const at = begin("files", "npy", "old");
    const pack = `$OMNIBAL pack - ${bounds.join(" ")} --format npy -o out`;
    const seen = shell(
      `export NODE_OPTIONS='--import=${noLinks}'
      (sleep 2; cat len.json) | ${pack} & sleep 1; cat out/.omnibal; ${pack} < len.json; echo " $?"; wait`,
      at,
    );
    expect(seen.out).toMatch(/^\{"omnibal":"claim",.*\} 1\n$/);
    expect(seen.err).toMatch(/^omnibal: out: another run is writing it: process \d+, since [^\n]*\n$/);
    nothingLeft(at);
    // One that holds no marker may be anybody's.
    writeFileSync(join(at, ".y.omnibal"), "");
    expect(write(at, "pack", "json", "-o", "y").err).toContain(".y.omnibal is in the way and not of this program");
  });

  test("an interrupt while a folder is replaced: code 130, the old one, nothing left", async () => {
    const at = begin("interrupt", "npy", "old");
    const records = '{"vit_num":1,"token_num":4000},'.repeat(200_000).slice(0, -1);
    writeFileSync(join(at, "many.json"), `[${records}]`);
    const before = contents(at);
    const { child, end } = start(["pack", "many.json", ...bounds, "--rounds=1", "--format=npy", "-o", "out"], at);
    const watcher = watch(join(at, "out"), (_, name) => {
      if (/^\.omnibal-/.test(String(name))) child.kill("SIGINT");
    });
    expect(await end).toEqual({ code: 130, err: "" });
    watcher.close();
    expect(contents(at)).toEqual(before);
  });
});
