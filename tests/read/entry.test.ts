import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { needs, unless } from "../needs.ts";

/** The packages that a bundle of `entry` for browsers holds. Building it fails where a module of Node is imported. */
async function packages(entry: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    ...{ bundle: true, platform: "browser", format: "esm", metafile: true, write: false, logLevel: "silent" },
  });
  expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter(({ external }) => external))).toEqual(
    [],
  );
  const names = Object.keys(metafile.inputs).map(
    (path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1],
  );
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

test("every entry can be bundled for browsers, and brings what it needs only", async () => {
  expect(await packages("../../src/index.ts")).toEqual(["@assemblyscript/loader"]);
  expect(await packages("../../src/read/index.ts")).toEqual(["@assemblyscript/loader", "csv-parse", "pako"]);
  expect(await packages("../../src/write/bytes.ts")).toEqual([]);
  await expect(packages("../../src/write/output.ts")).rejects.toThrow('Could not resolve "node:');
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

const noProc = unless(process.platform === "linux", "only Linux can open the pipe at /dev/stdin");
test("a file without a size: the pipe at standard input", needs(noProc), () => {
  expect(piped("/dev/stdin", lines)).toBe("100001 3 40");
});
