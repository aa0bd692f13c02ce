// Names and contents that are not ours reach a terminal in the same harmless form from the WASI command as from Node.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable, quoted } from "../../src/core/printable.ts";
import { foreignFormat } from "../../src/read/foreign.ts";
import { readLengths } from "../../src/read/index.ts";
import { omnibal } from "../cli/run.ts";
import { testFolder } from "../folder.ts";
import { node, type Run, wasmtime } from "./wasi.ts";
import { whenThere } from "./when-there.ts";

const folder = testFolder();
writeFileSync(join(folder, "empty.jsonl"), "{}");

/** Every code point that an argument can hold, in texts of 2^16. */
const allCodePoints = Array.from({ length: 17 }, (_, plane) => {
  let text = "";
  for (let code = plane << 16; code < (plane + 1) << 16; code++) {
    if (code !== 0 && (code < 0xd800 || code > 0xdfff)) text += String.fromCodePoint(code);
  }
  return text;
});

const seeded = { seed: 8, numRuns: 120 };
/** Characters of all kinds, the list's bounds and their neighbours above all. */
const edges = [
  0x1b, 0x0a, 0x0d, 0x7f, 0x80, 0x9b, 0x9f, 0xa0, 0x61b, 0x61c, 0x61d, 0x200a, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f,
  0x2010, 0x2027, 0x2028, 0x202e, 0x202f, 0x205f, 0x2060, 0x206f, 0x2070, 0xfefe, 0xfeff, 0xfff8, 0xfff9, 0xfffb,
  0xfffc, 0xfffd, 0xdffff, 0xe0000, 0xe007f, 0xe0080, 0x22, 0x5c, 0x27,
];
const character = fc
  .oneof(fc.constantFrom(...edges), fc.integer({ min: 1, max: 0x10ffff }))
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));
const text = fc.string({ unit: character, minLength: 1, maxLength: 12 });
const texts = fc.sample(text, seeded);
/** UTF-8 that is broken anywhere. */
const bytes = fc.sample(
  fc.tuple(text, fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 3 })).map(([value, changes]) => {
    const out = new TextEncoder().encode(value);
    for (const [at, byte] of changes) if (at < out.length) out[at] = byte;
    return out.filter((byte) => byte !== 0x22);
  }),
  seeded,
);

function file(name: string, content: Uint8Array | string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

/** What standard error has to say in a run that ends with code 1 or 2. */
function line(why: string, hint = ""): string {
  return `omnibal: ${why}${hint}\n`;
}

describe.each([wasmtime, node])("$name", (host) => {
  const there = whenThere(host.missing());
  const errors = (runs: readonly Run[]) => host.run(runs).map(({ err }) => err);

  there("every code point, as it is and in quotes", async () => {
    const plain = errors(allCodePoints.map((all) => ({ args: [`x${all}`] })));
    const inQuotes = errors(allCodePoints.map((all) => ({ args: ["pack", `--max-vit=${all}`] })));
    for (const [plane, all] of allCodePoints.entries()) {
      expect(plain[plane] === line(`unknown command '${printable(`x${all}`)}'`, " (see omnibal --help)")).toBe(true);
      const why = `--max-vit is ${quoted(all)}, expected a whole number from 1 to 2147483647`;
      expect(inQuotes[plane] === line(why, " (see omnibal pack --help)")).toBe(true);
    }
  });

  there("options, fields and paths", async () => {
    const folders = { ".": folder };
    const options = texts.filter((name) => !name.includes("="));
    expect(errors(options.map((name) => ({ args: ["stats", `--x${name}`] })))).toEqual(
      options.map((name) => line(`unknown option '--x${printable(name)}'`, " (see omnibal stats --help)")),
    );
    expect(
      errors(texts.map((name) => ({ args: ["stats", "--json", `--vit-field=${name}`, "empty.jsonl"], folders }))),
    ).toEqual(texts.map((name) => line(`empty.jsonl: record 0, byte 0: ${printable(name)} is missing`)));
    const paths = texts.filter((name) => !name.includes("/"));
    expect(errors(paths.map((path) => ({ args: ["stats", "--json", `none${path}`], folders })))).toEqual(
      paths.map((path) => line(`none${printable(path)}: no such file`)),
    );
  });

  there("values of a file, UTF-8 or not", async () => {
    const documents = bytes.map((value, k) => {
      const content = Buffer.concat([Buffer.from('{"vit_num":"'), value, Buffer.from('","token_num":1}')]);
      return { path: file(`value-${k}`, content), content };
    });
    const seen = errors(documents.map(({ path }) => ({ args: ["stats", "--json"], input: path })));
    for (const [k, { content }] of documents.entries()) {
      const stdin = (async function* () {
        yield content;
      })();
      const { message } = await readLengths(["-"], { stdin }).then(
        () => expect.unreachable(),
        (error: Error) => error,
      );
      expect(message).toBe(printable(message));
      expect(seen[k]).toBe(line(message));
    }
  });

  there("files of other formats are named as in Node; gzip, which only Node unpacks, too", async () => {
    const starts = [
      ..."PAR1\x15\x04,\n|PAR1aaaaPAR1|PARE\x01|ORC\x0a\x03|Obj\x01\x04|SQLite format 3\0|PK\x03\x04|PK\x05\x06".split(
        "|",
      ),
      ..."BZh91AY&SY|ARROW1\0\0|\x89HDF\r\n\x1a\n|\x80\x02|\x80\x05\x95|\xff\xfe[\0|\xfe\xff\0[|\x28\xb5\x2f\xfd".split(
        "|",
      ),
      ..."\xfd7zXZ\0|\x04\x22\x4d\x18|\xff\xff\xff\xff\x10".split("|"),
    ];
    const other = [
      "PAR1,vit_num\n",
      "ORC,vit_num\n",
      "BZh,1\n",
      "PK",
      "\x80\x06",
      "\x80",
      "Obj,a\n",
      "ARROW1,b\n",
      "{}",
    ];
    for (const start of other) expect(foreignFormat(Buffer.from(start, "latin1"))).toBeUndefined();
    const inputs = [...starts, ...other].map((start, k) => file(`format-${k}`, Buffer.from(start, "latin1")));
    const seen = errors(inputs.map((input) => ({ args: ["stats", "--json"], input })));
    for (const [k, start] of starts.entries()) {
      const foreign = foreignFormat(Buffer.from(start, "latin1"));
      expect(foreign).toMatch(/^.+, which is not supported: .+ first$/);
      expect(seen[k]).toBe(line(`stdin: is ${foreign}`));
    }
    for (const err of seen.slice(starts.length)) expect(err).not.toContain("not supported");
    const gzip = file("gzip", Buffer.from([0x1f, 0x8b, 8]));
    expect(errors([{ args: ["stats", "--json"], input: gzip }])).toEqual([
      line("stdin: is gzip, which is not supported: decompress it first"),
    ]);
  });
});

/** Names with an escape sequence, a line break, DEL, C1, and controls of direction. */
const nasty = "a\x1b[2J\x1b]0;x\x07\nb\x7f\x9b31m\u202ecba\u2066";

test("the Node command line shows names of all kinds on one line", () => {
  writeFileSync(join(folder, "m.json"), JSON.stringify({ [nasty]: { token_lengths: nasty } }));
  writeFileSync(join(folder, nasty), "{}");
  writeFileSync(join(folder, "h.csv"), `"${nasty}",token_num\n1,2\n`);
  writeFileSync(join(folder, "good.json"), "[]");
  mkdirNpy();
  const bounds = ["--max-vit=9", "--max-tokens=9"];
  const runs: readonly (readonly string[])[] = [
    [nasty],
    [`--${nasty}`],
    ["stats", `--${nasty}`],
    ["stats", `-${nasty}`],
    ["stats", `${nasty}x`],
    ["stats", nasty],
    ["stats", "m.json"],
    ["stats", "h.csv"],
    ["stats", "descr.npy"],
    ["stats", `--vit-field=${nasty}`, nasty],
    ["stats", `--vit-field=${nasty}`, `--token-field=${nasty}`, "h.csv"],
    ["stats", `--root=${nasty}`, "good.json"],
    ["pack", `--method=${nasty}`, ...bounds, "good.json"],
    ["pack", `--format=${nasty}`, ...bounds, "good.json"],
    ["pack", `--rounds=${nasty}`, ...bounds, "good.json"],
    ["pack", ...bounds, "-o", `${nasty}/${nasty}/x`, "good.json"],
    ["evaluate", "--ranks=1", `--packing=${nasty}x`, "good.json"],
    ["evaluate", "--ranks=1", `--packing=${nasty}`, `--sampler=${nasty}`, "good.json"],
    ["plan", "--ranks=1", `--packing=${nasty}`, `--balance=${nasty}`, "good.json"],
    ["search", "--ranks=1", `--samples-per-group=${nasty}`, "good.json"],
  ];
  for (const args of runs) {
    const { code, out, err } = omnibal(args, { cwd: folder });
    expect([args, [1, 2].includes(code ?? 0), out]).toEqual([args, true, ""]);
    expect(err).toMatch(/^omnibal: [^\n]+\n$/);
    expect(err.slice(0, -1)).toBe(printable(err.slice(0, -1)));
  }
  // A table that names files.
  const { code, out } = omnibal(["stats", "good.json", nasty.replace("a", "./a"), "good.json", "--vit-field=v"], {
    cwd: folder,
  });
  expect([code, out]).toEqual([1, ""]);
  writeFileSync(join(folder, nasty), "[]");
  const table = omnibal(["stats", nasty, "good.json"], { cwd: folder });
  expect(table.out).toContain("\\x1b[2J\\x1b]0;x\\x07\\x0ab\\x7f\\x9b31m\\u202ecba\\u2066");
  expect(table.out.split("\n").every((row) => row === printable(row))).toBe(true);
});

function mkdirNpy(): void {
  const dict = `{'descr': '\x1b[2J', 'fortran_order': False, 'shape': (1, 2), }\n`;
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, dict.length, 0]);
  writeFileSync(join(folder, "descr.npy"), Buffer.concat([head, Buffer.from(dict, "latin1")]));
}
