import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { needs, unless } from "../needs.ts";

/** All modules that `entry` imports, directly or not, by the words after `from`. */
function imports(entry: URL, seen = new Set<string>()): Set<string> {
  for (const [, name] of readFileSync(entry, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
    const target = name.startsWith(".") ? new URL(name, entry).href : name;
    if (seen.has(target)) continue;
    seen.add(target);
    if (name.startsWith(".")) imports(new URL(target), seen);
  }
  return seen;
}

function packages(path: string): string[] {
  return [...imports(new URL(path, import.meta.url))].filter((name) => !name.startsWith("file:")).sort();
}

test("the main entry runs where there is no file system; the reading entry is another one", () => {
  expect(packages("../../src/index.ts")).toEqual(["@assemblyscript/loader"]);
  expect(packages("../../src/read/index.ts")).toEqual([
    "@assemblyscript/loader",
    "csv-parse",
    "node:crypto",
    "node:fs",
    "node:fs/promises",
    "node:net",
    "node:path",
    "node:stream",
    "node:stream/promises",
    "node:zlib",
  ]);
});

/** What a process of its own reads from `path` when `input` is piped into it. */
function piped(path: string, input: string | Uint8Array): string {
  const entry = JSON.stringify(new URL("../../src/read/index.ts", import.meta.url).href);
  const script = `import { readLengths } from ${entry};
    const { vit, tokens } = await readLengths([${JSON.stringify(path)}]);
    console.log(vit.length, vit.at(-1), tokens.at(-1));`;
  const options = ["--import", "tsx", "--input-type=module", "--eval", script];
  // Through cat, because Node gives its children a socket, which has no name to open.
  return execFileSync("sh", ["-c", 'cat | "$0" "$@"', process.execPath, ...options], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 20,
  }).trim();
}

const lines = `${'{"vit_num":1,"token_num":20}\n'.repeat(100000)}{"vit_num":3,"token_num":40}`;

const noPipes = unless(process.platform !== "win32", "Windows has no sh and no cat");
test("the standard input of the process", needs(noPipes), () => {
  expect(piped("-", lines)).toBe("100001 3 40");
  expect(piped("-", "vit_num,token_num\n5,6")).toBe("1 5 6");
});

const noProc = unless(process.platform === "linux", "only Linux can open the pipe behind /dev/stdin");
test("a file without a size: the pipe behind the standard input", needs(noProc), () => {
  expect(piped("/dev/stdin", lines)).toBe("100001 3 40");
});
