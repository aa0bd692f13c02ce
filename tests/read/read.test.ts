import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { InputError, OmnibalError } from "../../src/index.ts";
import { type ReadOptions, readLengths } from "../../src/read/index.ts";
import { needs } from "../needs.ts";
import { npy } from "../npy-bytes.ts";
import { noRealData, REAL_DATA, REAL_FILES, samples } from "../samples.ts";

const folder = mkdtempSync(join(tmpdir(), "omnibal-read-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file in the test's folder. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function* stream(content: string | Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function values(paths: string | string[], options?: ReadOptions): Promise<[number[], number[]]> {
  const { vit, tokens } = await readLengths([paths].flat(), options);
  return [Array.from(vit), Array.from(tokens)];
}

/** The error's code and its message, without the folder. */
async function failure(paths: string | string[], options?: ReadOptions): Promise<string> {
  try {
    await readLengths([paths].flat(), options);
  } catch (error) {
    if (!(error instanceof OmnibalError)) throw error;
    expect(error.message).not.toContain("\n");
    return `${error.code} ${error.message.replaceAll(`${folder}/`, "")}`;
  }
  throw new Error("no error");
}

const json = '[{"vit_num":1,"token_num":20},{"vit_num":3,"token_num":40}]';
const jsonl = '{"vit_num":1,"token_num":20}\n{"vit_num":3,"token_num":40}\n';
const csv = "vit_num,token_num\n1,20\n3,40\n";
const both = [
  [1, 3],
  [20, 40],
];
const binary = npy(
  [
    [1, 20],
    [3, 40],
  ],
  { descr: "<i8" },
);

describe("formats", () => {
  test.each([
    ["a.json", json],
    ["bom.json", `\uFEFF${json}`],
    ["a.jsonl", jsonl],
    ["a.npy", binary],
    ["a.csv", csv],
    ["a.tsv", csv.replaceAll(",", "\t")],
    ["json.txt", ` \n${json}`],
    ["jsonl", jsonl],
    ["npy", binary],
    ["csv", csv],
    ["tsv", csv.replaceAll(",", "\t")],
    ["semicolons", csv.replaceAll(",", ";")],
  ])("%s, by path and from the standard input", async (name, content) => {
    expect(await values(file(name, content))).toEqual(both);
    if (!name.includes(".")) {
      for (const size of [1, 7, 1000]) expect(await values("-", { stdin: stream(content, size) })).toEqual(both);
    }
  });

  test("several, in order, reported one by one", async () => {
    const paths = [file("1.json", json), file("2.csv", csv), file("3.npy", binary), file("4.json", "[]")];
    const { vit, files } = await readLengths([...paths, "-"], { stdin: stream(jsonl) });
    expect(Array.from(vit)).toEqual([1, 3, 1, 3, 1, 3, 1, 3]);
    expect(files).toEqual([...paths.map((path, i) => ({ path, samples: i === 3 ? 0 : 2 })), { path: "-", samples: 2 }]);
    expect(await readLengths([])).toEqual({ vit: new Int32Array(0), tokens: new Int32Array(0), files: [] });
  });

  test("several readers at once do not meet", async () => {
    const path = file("large.jsonl", jsonl.repeat(50000));
    const all = await Promise.all([readLengths([path]), readLengths([path]), values(file("1.json", json))]);
    for (const { vit } of all.slice(0, 2) as Awaited<ReturnType<typeof readLengths>>[]) {
      expect(vit.length).toBe(100000);
      expect(vit.subarray(-2)).toEqual(Int32Array.of(1, 3));
    }
    expect(all[2]).toEqual(both);
  });

  test("field names", async () => {
    const names = { vitField: "Bilder é", tokenField: "n" };
    expect(await values(file("names.json", '[{"n":2,"Bilder é":1,"vit_num":9}]'), names)).toEqual([[1], [2]]);
    expect(await values(file("names.csv", "n,Bilder é,vit_num\n2,1,9"), names)).toEqual([[1], [2]]);
  });

  test.each(REAL_FILES)("%s", needs(noRealData), async (name) => {
    const { vit, tokens } = await readLengths([fileURLToPath(new URL(`${name}.json`, REAL_DATA))]);
    expect({ vit, tokens }).toEqual(samples(name));
  });

  test("more than 8 MiB, indented, with progress", async () => {
    const { vit, tokens } = samples("tiled:120000");
    const records = Array.from(vit, (v, i) => ({ vit_num: v, token_num: tokens[i], image_flags: v }));
    const text = JSON.stringify(records, null, 4);
    expect(text.length).toBeGreaterThan(8 << 20);
    const path = file("large.json", text);
    const seen: [number, number | undefined][] = [];
    const result = await readLengths([path], { onProgress: (...now) => seen.push(now) });
    expect(result.vit).toEqual(vit);
    expect(result.tokens).toEqual(tokens);
    expect(seen.length).toBeGreaterThan(8);
    expect(seen.at(-1)).toEqual([text.length, text.length]);
    const lines = `${records.map((r) => JSON.stringify(r)).join("\n")}\n`;
    const piped = await readLengths(["-"], { stdin: stream(lines, 65536), onProgress: (...now) => seen.push(now) });
    expect(piped.tokens).toEqual(tokens);
    expect(seen.at(-1)).toEqual([lines.length, undefined]);
    const table = await readLengths([
      file("large.csv", `vit_num,token_num\n${records.map((r) => `${r.vit_num},${r.token_num}`).join("\n")}`),
    ]);
    expect(table.vit).toEqual(vit);
    expect(table.tokens).toEqual(tokens);
  });

  test("abort: before and between pieces", async () => {
    const path = file("abort.json", `[${'{"vit_num":1,"token_num":2},'.repeat(40000)}{"vit_num":1,"token_num":2}]`);
    await expect(readLengths([path], { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
    const table = file("abort.csv", `vit_num,token_num\n${"1,2\n".repeat(100000)}`);
    for (const input of [path, table]) {
      const control = new AbortController();
      let calls = 0;
      const onProgress = () => {
        calls++;
        control.abort(new Error("enough"));
      };
      await expect(readLengths([input], { signal: control.signal, onProgress })).rejects.toThrow("enough");
      expect(calls).toBe(1);
    }
  });
});

describe("errors", () => {
  test.each([
    [
      "x.json",
      '[{"vit_num":1,"token_num":2}, {"vit_num":1,"token_num":-3}]',
      "INVALID_LENGTH x.json: record 1, byte 55: token_num is -3, expected a whole number from 0 to 9007199254740991, written as digits",
    ],
    [
      "x.json",
      '{"vit_num":"1","token_num":2}',
      'INVALID_LENGTH x.json: record 0, byte 11: vit_num is "1", expected a whole number from 0 to 9007199254740991, written as digits',
    ],
    [
      "x.json",
      '{"vit_num":{},"token_num":2}',
      "INVALID_LENGTH x.json: record 0, byte 11: vit_num is an object, expected a whole number from 0 to 9007199254740991, written as digits",
    ],
    [
      "x.json",
      '{"vit_num":"a\n\u007f',
      "INVALID_FILE x.json: record 0, byte 15: the file ends, expected the rest of the value",
    ],
    [
      "x.json",
      '{"vit_num":"a\n\u007f"',
      'INVALID_LENGTH x.json: record 0, byte 11: vit_num is "a\\x0a\\x7f", expected a whole number from 0 to 9007199254740991, written as digits',
    ],
    [
      "x.json",
      `{"vit_num":"${"a".repeat(60)}"`,
      `INVALID_LENGTH x.json: record 0, byte 11: vit_num is "${"a".repeat(39)}..., expected a whole number from 0 to 9007199254740991, written as digits`,
    ],
    ["x.json", '[{"vit_num":1}]', "MISSING_FIELD x.json: record 0, byte 1: tokens or token_num is missing"],
    [
      "x.json",
      '[{"vit_num":1]',
      "INVALID_FILE x.json: record 0, byte 13: found ], expected a comma or the end of the object: , or }",
    ],
    [
      "x.json",
      '[{"vit_num":1',
      "INVALID_FILE x.json: record 0, byte 13: the file ends, expected a comma or the end of the object: , or }",
    ],
    [
      "x.json",
      "[\u0000",
      "INVALID_FILE x.json: record 0, byte 1: found the byte 0x00, expected a record or the end of the array: { or ]",
    ],
    ["x.json", "[7]", "INVALID_FILE x.json: record 0, byte 1: found 7, expected a record: {"],
    ["x.json", "[] []", "INVALID_FILE x.json: record 0, byte 3: found [, expected the end of the file"],
    ["x.json", "", "INVALID_FILE x.json: the file is empty, expected an array of records or a record: [ or {"],
    ["x.json", `{"a":${"[".repeat(600)}`, "INVALID_FILE x.json: record 0, byte 517: nested more than 512 deep"],
    [
      "x.json",
      "vit_num,token_num",
      "INVALID_FILE x.json: record 0, byte 0: found v, expected an array of records or a record: [ or {",
    ],
    ["x", "", "INVALID_FILE x: the file is empty, expected an array of records or a record: [ or {"],
    [
      "x.npy",
      npy([[1, -1]], { descr: "<i2" }),
      "INVALID_LENGTH x.npy: record 0, byte 130: token_num is -1, expected a whole number from 0 to 9007199254740991, written as digits",
    ],
    [
      "x.npy",
      npy([[1, 1]], { descr: "<i2" }).subarray(0, 131),
      "INVALID_FILE x.npy: record 0, byte 131: the file ends, expected more data: the header announces it",
    ],
    ["x.npy", npy([], { descr: "<i2", shape: "(3,)" }), "INVALID_FILE x.npy: byte 60: shape is (3,), expected (n, 2)"],
    [
      "x.npy",
      npy([], { descr: "<i2", dict: "{'descr': '<U7', }" }),
      "INVALID_FILE x.npy: byte 20: descr is '<U7', expected whole or floating numbers of 1 to 8 bytes",
    ],
    [
      "x.npy",
      npy([], { descr: "<i2", dict: "[" }),
      "INVALID_FILE x.npy: byte 10: not a .npy header of version 1.0, 2.0 or 3.0",
    ],
    ["x.csv", "", "INVALID_FILE x.csv: the file is empty, expected a header line"],
    [
      "x.csv",
      "vit_num,token\n1,2",
      'MISSING_FIELD x.csv: line 1: tokens or token_num is missing, the header has "vit_num", "token"',
    ],
    ["x.csv", "vit_num,token_num,vit_num\n1,2,3", "INVALID_FILE x.csv: line 1: two columns are named vit_num"],
    [
      "x.csv",
      "vit_num,token_num\n1,2\n3\n",
      "INVALID_FILE x.csv: line 3: has another number of values than the header",
    ],
    [
      "x.csv",
      "vit_num,token_num\n1,2\n3,4,5\n",
      "INVALID_FILE x.csv: line 3: has another number of values than the header",
    ],
    [
      "x.csv",
      'vit_num,token_num\n1,"2\n3,4\n',
      "INVALID_FILE x.csv: line 3: a quote is not closed before the end of the file",
    ],
    [
      "x.csv",
      "vit_num,token_num\n1,2\n3,-4\n",
      'INVALID_LENGTH x.csv: line 3: token_num is "-4", expected a whole number from 0 to 9007199254740991',
    ],
    [
      "x.csv",
      "vit_num,token_num\n,2\n",
      'INVALID_LENGTH x.csv: line 2: vit_num is "", expected a whole number from 0 to 9007199254740991',
    ],
    [
      "x.csv",
      "vit_num,token_num\n1,9007199254740992\n",
      'INVALID_LENGTH x.csv: line 2: token_num is "9007199254740992", expected a whole number from 0 to 9007199254740991',
    ],
    [
      "x.csv",
      "vit_num,token_num\n1e1,2\n",
      'INVALID_LENGTH x.csv: line 2: vit_num is "1e1", expected a whole number from 0 to 9007199254740991',
    ],
    [
      "x.csv",
      `vit_num,token_num\n"${"1,2\n".repeat(1 << 19)}`,
      "INVALID_FILE x.csv: line 262146: longer than 1 MiB: a quote is not closed, or this is not a CSV file",
    ],
  ])("%s, case %#", async (name, content, message) => {
    expect(await failure(file(name, content))).toBe(message);
  });

  test("files that cannot be read", async () => {
    expect(await failure(join(folder, "nowhere.json"))).toBe("INVALID_FILE nowhere.json: no such file");
    expect(await failure(join(file("x.json", json), "y"))).toBe("INVALID_FILE x.json/y: no such file");
    mkdirSync(join(folder, "sub.json"), { recursive: true });
    expect(await failure(join(folder, "sub.json"))).toBe("INVALID_FILE sub.json: is a folder, expected a file");
    await expect(readLengths([join(folder, "nowhere.json")])).rejects.toBeInstanceOf(InputError);
  });

  test("the standard input has its name, is read once, and must bring bytes", async () => {
    expect(await failure("-", { stdin: stream("[7]") })).toBe(
      "INVALID_FILE stdin: record 0, byte 1: found 7, expected a record: {",
    );
    expect(await failure("-", { stdin: stream("") })).toMatch(/^INVALID_FILE stdin: the file is empty/);
    expect(await failure(["-", "-"])).toMatch(/^INVALID_OPTION "-" is given twice/);
    const strings = (async function* () {
      yield "[]" as unknown as Uint8Array;
    })();
    expect(await failure("-", { stdin: strings })).toBe(
      "INVALID_FILE stdin: got a string, expected bytes (Uint8Array)",
    );
  });

  test("field names that cannot be", async () => {
    expect(await failure([], { vitField: "" })).toBe(
      'INVALID_OPTION vitField is "", expected a name of 1 to 4096 bytes',
    );
    expect(await failure([], { tokenField: "é".repeat(2049) })).toMatch(/^INVALID_OPTION tokenField is/);
    expect(await failure([], { tokenField: "vit_num" })).toBe(
      'INVALID_OPTION vit and tokens are both read from "vit_num", expected two fields',
    );
  });
});

describe("CSV", () => {
  test.each([
    ["CRLF and empty lines", "vit_num,token_num\r\n1,20\r\n\r\n3,40\r\n\r\n"],
    ["no line end at the end", "vit_num,token_num\n1,20\n3,40"],
    ["byte order mark", `\uFEFF${csv}`],
    ["other columns, another order", 'id,token_num,note,vit_num\n1,20,"a, ""b""\nc",1\n2,40,,3\n'],
    ["quoted", '"vit_num","token_num"\n"1","20"\n"3","40"\n'],
    ["spaces", " vit_num , token_num \n 1 , 20 \n3 ,40\n"],
    ["fractions of zeros", "vit_num,token_num\n1.0,20.00\n3,40\n"],
  ])("%s", async (_, text) => {
    expect(await values(file("y.csv", text))).toEqual(both);
    expect(await values("-", { stdin: stream(text, 3) })).toEqual(both);
  });

  test("a header alone: no samples", async () =>
    expect(await values(file("y.csv", "vit_num,token_num\n"))).toEqual([[], []]));
});

describe("meta files", () => {
  test("paths relative to the meta file, to the working folder, and absolute; names are reported", async () => {
    const besides = file("data/a.json", json);
    const absolute = file("elsewhere/b.csv", csv);
    // Relative to the working folder of the tests, which the repository is.
    const fromHere = "tests/fixtures/meta-relative-to-working-folder.jsonl";
    const meta = file(
      "data/meta.json",
      JSON.stringify({
        first: { token_lengths: "./a.json", root: "x", repeat: 1 },
        second: { token_lengths: fromHere },
        third: { token_lengths: absolute },
      }),
    );
    const { vit, files } = await readLengths([meta]);
    expect(Array.from(vit)).toEqual([1, 3, 2, 1, 3]);
    expect(files).toEqual([
      { path: besides, name: "first", samples: 2 },
      { path: join(process.cwd(), fromHere), name: "second", samples: 1 },
      { path: absolute, name: "third", samples: 2 },
    ]);
  });

  test("errors name the entry", async () => {
    const meta = (entry: object) => file("meta.json", JSON.stringify({ "my set": entry }));
    expect(await failure(meta({}))).toBe('MISSING_FIELD meta.json: entry "my set": token_lengths is missing');
    expect(await failure(meta({ token_lengths: 3 }))).toBe(
      'MISSING_FIELD meta.json: entry "my set": token_lengths is 3, expected the path of a length file',
    );
    expect(await failure(meta({ token_lengths: "./none.json" }))).toBe(
      `INVALID_FILE meta.json: entry "my set": no such file: none.json nor ${join(process.cwd(), "none.json")}`,
    );
    expect(await failure(meta({ token_lengths: file("bad.json", "[7]") }))).toBe(
      "INVALID_FILE bad.json: record 0, byte 1: expected a record: {",
    );
  });

  test("values of any kind are shown, not called", async () => {
    const meta = (value: string) => file("meta.json", `{"a":{"token_lengths":${value}}}`);
    const why = "expected the path of a length file";
    const at = 'MISSING_FIELD meta.json: entry "a": token_lengths is';
    expect(await failure(meta('{"toString":1}'))).toBe(`${at} {"toString":1}, ${why}`);
    expect(await failure(meta('{"toString":1,"valueOf":2}'))).toBe(`${at} {"toString":1,"valueOf":2}, ${why}`);
    expect(await failure(meta(`${"[".repeat(1e6)}${"]".repeat(1e6)}`))).toBe(`${at} [[[[...]]]], ${why}`);
    expect(await failure(meta("[[1,2],{}]"))).toBe(`${at} [[1,2],{}], ${why}`);
    expect(await failure(meta('"a\\u0000b\\n"'))).toMatch(/^INVALID_FILE .*no such file: a\\x00b\\x0a nor /);
    expect(await failure(file("meta.json", '{"a\\u001b[2J\\n":{}}'))).toBe(
      'MISSING_FIELD meta.json: entry "a\\u001b[2J\\n": token_lengths is missing',
    );
  });

  test("a file that one leads to is not quoted, but for a length that is refused", async () => {
    const meta = (name: string, content: string | Uint8Array) => {
      file(name, content);
      return file("meta.json", JSON.stringify({ a: { token_lengths: `./${name}` } }));
    };
    const secret = "root:x:0:0";
    expect(await failure(meta("passwd", `${secret}\nnext\n`))).toBe(
      "MISSING_FIELD passwd: line 1: vit or vit_num is missing",
    );
    expect(await failure(file("passwd", `${secret}\n`))).toContain(secret);
    const texts = [
      `vit_num,token_num\n${secret}`,
      `"${secret}"x\n`,
      `a"${secret}"\n`,
      `"${secret}`,
      `[${secret}`,
      `{"a":"${secret}\u0001"}`,
      `{"${secret}"}`,
      `[]${secret}`,
      `[{"vit_num":1,"token_num":2}]${secret}`,
      `["${secret}"]`,
      `${secret}\n`.repeat(300_000),
    ];
    for (const name of ["x", "x.csv", "x.json"]) {
      for (const text of texts) expect(await failure(meta(name, text))).not.toMatch(/root|found|:0:/);
    }
    expect(await failure(meta("x.csv", `vit_num,token_num\n${secret},2\n`))).toContain(`vit_num is "${secret}"`);
    expect(await failure(meta("x.json", `[{"vit_num":"${secret}"`))).toContain(`vit_num is "${secret}"`);
  });
});

describe("root: a folder that reading stays in", () => {
  const inside = join(folder, "inside");
  mkdirSync(join(inside, "deep"), { recursive: true });
  writeFileSync(join(folder, "outside.json"), json);
  writeFileSync(join(inside, "deep/a.json"), json);
  writeFileSync(join(inside, "..b.json"), json);
  symlinkSync(join(folder, "outside.json"), join(inside, "link.json"));
  symlinkSync(folder, join(inside, "up"));
  symlinkSync(join(inside, "deep/a.json"), join(folder, "into.json"));
  symlinkSync(inside, join(folder, "inside-too"));
  const meta = (path: string) => file("inside/meta.json", JSON.stringify({ a: { token_lengths: path } }));
  const refused = (path: string) => `INVALID_FILE ${path}: is outside of inside, the folder to read from`;
  const failureIn = async (path: string) => (await failure(path, { root: inside })).replace(folder, "");

  test("files below it are read, through links and meta files too", async () => {
    for (const root of [inside, join(folder, "inside-too"), join(inside, "deep/..")]) {
      for (const path of [join(inside, "deep/a.json"), join(inside, "..b.json"), join(folder, "into.json")]) {
        expect(await values(path, { root })).toEqual(both);
      }
      expect(await values(meta("deep/a.json"), { root })).toEqual(both);
      expect(await values(meta("../into.json"), { root })).toEqual(both);
      expect((await readLengths([meta("up/inside/deep/a.json")], { root })).files).toEqual([
        { path: join(inside, "up/inside/deep/a.json"), name: "a", samples: 2 },
      ]);
    }
    expect(await values("-", { root: inside, stdin: stream(json) })).toEqual(both);
    // What stays inside may be quoted.
    file("inside/bad.csv", "vit_num,x\n");
    expect(await failureIn(meta("bad.csv"))).toContain('the header has "vit_num", "x"');
  });

  test("others are not, whoever names them", async () => {
    expect(await failureIn(join(folder, "outside.json"))).toBe(refused("outside.json"));
    expect(await failureIn(join(inside, "link.json"))).toBe(refused("inside/link.json"));
    expect(await failureIn(join(inside, "up/outside.json"))).toBe(refused("inside/up/outside.json"));
    expect(await failureIn(join(inside, "../outside.json"))).toBe(refused("outside.json"));
    for (const path of ["../outside.json", "link.json", "up/outside.json", join(folder, "outside.json")]) {
      expect(await failureIn(meta(path))).toMatch(/: is outside of inside, the folder to read from$/);
    }
    expect(await failureIn(meta("/etc/passwd"))).toBe(refused("/etc/passwd"));
    expect(await failureIn(join(inside, "none.json"))).toBe("INVALID_FILE inside/none.json: no such file");
  });

  test("a root that is none", async () => {
    for (const root of ["", join(folder, "none"), join(folder, "outside.json"), 3 as unknown as string]) {
      expect(await failure(join(inside, "deep/a.json"), { root })).toMatch(
        /^INVALID_OPTION root is .*, expected a folder$/,
      );
    }
  });
});

describe("JSONL beside meta files", () => {
  test.each([
    ["one record", '{"vit_num":1,"token_num":2}', [[1], [2]]],
    ["one record with an object in it", '{"a":{"token_lengths":"x"},"vit_num":1,"token_num":2}', [[1], [2]]],
    [
      "records on several lines",
      '{"vit_num":1,\n"token_num":2}\n{"a":{},"vit_num":3,"token_num":4}',
      [
        [1, 3],
        [2, 4],
      ],
    ],
  ])("JSONL is no meta file: %s", async (_, text, expected) => {
    expect(await values(file("z.json", text))).toEqual(expected);
  });

  test("an empty object is a record without its fields", async () => {
    expect(await failure(file("z.json", "{}"))).toBe(
      "MISSING_FIELD z.json: record 0, byte 0: vit or vit_num is missing",
    );
  });
});
