// The JSON of packings and plans: agrees with JSON.parse wherever its pieces are cut, and takes little memory for any text.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError, load } from "../../src/index.ts";
import { Column } from "../../src/read/columns.ts";
import { readPacking, readPlan } from "../../src/read/index.ts";
import { JsonText } from "../../src/read/json-text.ts";
import { openStream } from "../../src/read/source.ts";
import { MAIN } from "../cli/run.ts";
import { testFolder } from "../folder.ts";

const folder = testFolder();
const watch = { read: () => {}, signal: undefined };

/** What `use` makes of a text that comes in pieces of this size; its error as text. */
async function by<T>(text: string, piece: number, use: (json: JsonText) => Promise<T>): Promise<T | string> {
  const source = await openStream(
    (async function* () {
      yield new TextEncoder().encode(text);
    })(),
  );
  try {
    return await use(new JsonText(source, watch, piece));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.message;
  }
}

const sizes = [1, 2, 7, 64, 1 << 18];

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** JSON, and JSON with a few characters changed. */
const documents = fc
  .tuple(
    fc.json({ maxDepth: 4 }),
    fc.constantFrom("", " ", "\n\t "),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\u09.-+eEtfn \n\u0001x'), fc.nat(2)), { maxLength: 2 }),
  )
  .map(([json, space, changes]) => {
    let text = space + json.replace(/([,:[{])/g, `$1${space}`);
    for (const [place, character, kind] of changes) {
      const at = place % (text.length + 1);
      text = text.slice(0, at) + (kind === 2 ? "" : character) + text.slice(kind === 1 ? at : at + 1);
    }
    return text;
  });

describe("agrees with JSON.parse", () => {
  test("a value that is skipped is one, and a value that is taken is the same", async () => {
    let wrong = 0;
    await fc.assert(
      fc.asyncProperty(documents, fc.constantFrom(...sizes), async (text, size) => {
        const expected = parsed(text);
        wrong += expected === undefined ? 1 : 0;
        const skipped = await by(text, size, (json) =>
          json
            .skip()
            .then(() => json.finish())
            .then(() => true),
        );
        expect([text, skipped === true]).toEqual([text, expected !== undefined]);
        const value = await by(text, size, async (json) => ({ value: await json.whole() }));
        if (expected === undefined) expect(typeof value).toBe("string");
        else expect(value).toEqual(expected);
      }),
      { numRuns: 1500 },
    );
    expect(wrong).toBeGreaterThan(200);
  });

  test("lists of whole numbers, cut anywhere, with any white space", async () => {
    const number = fc.oneof(fc.nat(20), fc.constantFrom(2147483647, 1000000000));
    const space = fc.constantFrom("", " ", "\n", "\r\n\t  ", " ".repeat(300));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(number, space, space), { maxLength: 30 }), space, async (items, end) => {
        const text = `${end}[${end}${items.map(([value, before, after]) => before + value + after).join()}]${end}`;
        for (const size of sizes) {
          const out = new Column();
          await by(text, size, (json) => json.lists(out).then(() => json.finish()));
          expect(Array.from(out.take())).toEqual(items.map(([value]) => value));
        }
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ["[1,2", /^stdin: byte 4: the file ends, expected (]|a comma or the end of the list: , or ])$/],
    ["[1,", /^stdin: byte 3: the file ends, expected (]|a whole number from 0 to 2147483647, written as digits)$/],
    ["[1,]", "stdin: byte 3: found ], expected a whole number from 0 to 2147483647, written as digits"],
    ["[1 2]", "stdin: byte 3: found 2, expected a comma or the end of the list: , or ]"],
    ["[1,-2]", "stdin: byte 3: found another number, expected a whole number from 0 to 2147483647, written as digits"],
    ["[1,2.5]", "stdin: byte 3: found another number, expected a whole number from 0 to 2147483647, written as digits"],
    ["[1,02]", "stdin: byte 3: found another number, expected a whole number from 0 to 2147483647, written as digits"],
    [
      "[2147483648]",
      "stdin: byte 1: found another number, expected a whole number from 0 to 2147483647, written as digits",
    ],
    ["[1,x]", "stdin: byte 3: found x, expected a whole number from 0 to 2147483647, written as digits"],
    [`[${"9".repeat(100)}]`, /^stdin: byte 1: found another number/],
  ])("%j: the same error wherever it is cut", async (text, why) => {
    for (const size of sizes) {
      const out = new Column();
      const seen = await by(text, size, (json) => json.lists(out));
      if (typeof why === "string") expect(seen).toBe(why);
      else expect(seen).toMatch(why);
    }
  });
});

describe("what follows is not passed over", () => {
  test("text after paths.json and plan.json", async () => {
    const omnibal = await load();
    const lengths = { vit: new Int32Array(1), tokens: new Int32Array(1), files: [{ path: "a", samples: 1 }] };
    for (const [name, content] of Object.entries({
      "boundaries.npy": "",
      "samples.npy": "",
      "paths.json": '["a"] x',
    })) {
      writeFileSync(join(folder, name), content);
    }
    await expect(readPacking(omnibal, folder, lengths)).rejects.toThrow(
      "paths.json: byte 6: found x, expected the end of the file",
    );
    writeFileSync(join(folder, "paths.json"), '{"a":1}');
    await expect(readPacking(omnibal, folder, lengths)).rejects.toThrow(
      'paths.json: is {"a":1}, expected a list of paths',
    );
    writeFileSync(join(folder, "paths.json"), '[{"toString":1}]');
    await expect(readPacking(omnibal, folder, lengths)).rejects.toThrow(
      'paths.json: names {"toString":1}, which is not among the files given',
    );
    writeFileSync(join(folder, "plan.json"), '{"ranks":1} {"ranks":2}');
    await expect(readPlan(folder)).rejects.toThrow("plan.json: byte 12: found {, expected the end of the file");
  });
});

describe("limits", () => {
  const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

  test.each([
    [`"${"a".repeat((1 << 20) + 2)}"`, "stdin: byte 0: a string of more than 1 MiB, expected a name or a path"],
    [deep(513), "stdin: byte 512: nested more than 512 deep"],
    [`{"a":${deep(1_000_000)}}`, /^stdin: byte 51[67]: nested more than 512 deep$/],
  ])("case %#", async (text, why) => {
    for (const use of [(json: JsonText) => json.skip(), (json: JsonText) => json.whole()]) {
      const seen = await by(text, 1 << 18, use);
      if (typeof why === "string") expect(seen).toBe(why);
      else expect(seen).toMatch(why);
    }
  });

  test("up to them all is taken", async () => {
    for (const text of [`"${"a".repeat((1 << 20) - 2)}"`, deep(512), `[${"1,".repeat(1_000_000)}1]`]) {
      expect(await by(text, 1 << 18, (json) => json.whole())).toEqual(JSON.parse(text));
      expect(await by(text, 1 << 18, (json) => json.skip())).toBeUndefined();
    }
    expect(await by(`[${" ".repeat(1 << 24)}]`, 1 << 18, (json) => json.whole())).toBe(
      "stdin: byte 0: a value of more than 16 MiB",
    );
  });
});

/** Says on standard error what a process of Node has taken. */
const measure =
  'data:text/javascript,process.on("exit",()=>process.stderr.write("\\nMB " + process.resourceUsage().maxRSS / 1000))';

/** Reads a packing that a shell command writes, by a named pipe, so that nothing large is on the disk. */
function evaluate(command: string): { code: number | null; err: string; megabytes: number } {
  const script = `rm -f p; mkfifo p; (${command}) > p 2> /dev/null & exec "$0" "$@"`;
  const args = ["--import", measure, MAIN, "evaluate", "--ranks=1", "--json", "--packing", "p", "samples.json"];
  const { status, stderr } = spawnSync("sh", ["-c", script, process.execPath, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  const [err, megabytes] = stderr.split("\nMB ");
  return { code: status, err, megabytes: Number(megabytes) };
}

describe.runIf(process.platform === "linux")("memory", () => {
  writeFileSync(join(folder, "samples.json"), '[{"vit_num":1,"token_num":2},{"vit_num":1,"token_num":2}]');
  const usual = evaluate("printf '[[0,1]]'");
  const spaces = "head -c 150000000 /dev/zero | tr '\\0' ' '";
  const letters = "head -c 700000000 /dev/zero | tr '\\0' a";

  test("of a small packing, to compare with", () => {
    expect(usual).toMatchObject({ code: 0, err: "" });
    expect(usual.megabytes).toBeGreaterThan(20);
  });

  test.each([
    ["in a list of samples", `printf '[[0'; ${spaces}; printf ',1]]'`],
    ["between groups", `printf '[[0],'; ${spaces}; printf '[1]]'`],
    ["in a value that nobody asked for", `printf '{"n":[1,'; ${spaces}; printf '2],"groups":[[0,1]]}'`],
    ["after all", `printf '[[0,1]]'; ${spaces}`],
  ])("150 MB of white space %s", (_, command) => {
    const { code, err, megabytes } = evaluate(command);
    expect([code, err]).toEqual([0, ""]);
    expect(megabytes).toBeLessThan(usual.megabytes + 80);
  });

  test.each([
    ["that nobody asked for", `printf '{"note":"'; ${letters}`, 8],
    ["among the figures", `printf '{"groups":[[0,1]],"stats":{"a":"'; ${letters}`, 31],
    ["for a name", `printf '{"'; ${letters}`, 1],
  ])("a string of 700 MB %s is refused when it is 1 MiB long", (_, command, at) => {
    const { code, err, megabytes } = evaluate(command);
    expect([code, err]).toEqual([
      1,
      `omnibal: p: byte ${at}: a string of more than 1 MiB, expected a name or a path\n`,
    ]);
    expect(megabytes).toBeLessThan(usual.megabytes + 80);
  });
});
