// What a user downloads: the module and its parts, and the JavaScript of who packs and does nothing else.
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { testFolder } from "../folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const wasm = join(root, "build/omnibal.wasm");
const folder = testFolder();

const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

/** What is sent where the server compresses, as all do. */
function brotli(path: string): number {
  return brotliCompressSync(readFileSync(path)).length;
}

/** Prints sizes, largest first. */
function report(title: string, parts: ReadonlyMap<string, number>): void {
  const rows = Array.from(parts).sort(([, a], [, b]) => b - a);
  const lines = rows.map(([name, bytes]) => `  ${kilobytes(bytes).padStart(9)}  ${name}`);
  process.stdout.write(`${title}\n${lines.join("\n")}\n`);
}

/** Compiles the module as the build does, with more flags, from `entry` into `out`. */
function compile(cwd: string, ...flags: readonly string[]): void {
  const args = ["assembly/index.ts", "--target", "release", "--transform", "./assembly/ascii-transform.js", ...flags];
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(scripts["build:wasm"]).toContain(`asc ${args.slice(0, 5).join(" ")}`);
  execFileSync(process.execPath, [join(root, "node_modules/assemblyscript/bin/asc.js"), ...args], {
    cwd,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Bytes of code by room, from the names that a debug build keeps. */
function codeByRoom(module: Uint8Array): Map<string, number> {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const sizes: number[] = [];
  const names = new Map<number, string>();
  while (at < module.length) {
    const id = module[at++];
    const end = number() + at;
    if (id === 10) {
      for (let left = number(); left > 0; left--) {
        const size = number();
        sizes.push(size);
        at += size;
      }
    }
    if (id === 0) {
      const text = (length: number) => {
        at += length;
        return new TextDecoder().decode(module.subarray(at - length, at));
      };
      if (text(number()) === "name") {
        while (at < end) {
          const kind = module[at++];
          const stop = number() + at;
          if (kind === 1) for (let left = number(); left > 0; left--) names.set(number(), text(number()));
          at = stop;
        }
      }
    }
    at = end;
  }
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(module as BufferSource)).length;
  const rooms = new Map<string, number>();
  for (const [i, size] of sizes.entries()) {
    const name = names.get(imported + i) ?? "?";
    const room = /^assembly\/([^/]+)\//.exec(name)?.[1] ?? /^(~lib|assembly)/.exec(name)?.[1] ?? "other";
    rooms.set(room, (rooms.get(room) ?? 0) + size);
  }
  return rooms;
}

test("the module is at most 64 KB, compressed as servers send it", () => {
  const bytes = readFileSync(wasm);
  const gzip = gzipSync(bytes, { level: 9 }).length;
  compile(root, "--debug", "--outFile", join(folder, "named.wasm"));
  const rooms = codeByRoom(readFileSync(join(folder, "named.wasm")));
  report(
    `omnibal.wasm: ${kilobytes(bytes.length)}, gzip ${kilobytes(gzip)}, brotli ${kilobytes(brotli(wasm))}; code by room`,
    rooms,
  );
  expect(brotli(wasm)).toBeLessThanOrEqual(65_536);
  for (const room of ["base", "pack", "plan", "read", "text", "command"]) {
    expect(rooms.get(room), room).toBeGreaterThan(500);
  }
}, 120_000);

/** A bundle of `source` as a site would ship it, with the bytes that each file takes of it. */
async function bundle(source: string): Promise<{ code: Uint8Array; parts: Map<string, number>; files: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: join(root, "dist") },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
    metafile: true,
    absWorkingDir: root,
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const used = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return {
    code: outputFiles[0].contents,
    parts: new Map(used.map(([file, { bytesInOutput }]) => [file, bytesInOutput])),
    files: used.map(([file]) => file),
  };
}

test("packing alone takes at most 20 KB of JavaScript, gzipped, and nothing of plans, search or workers", async () => {
  const { code, parts, files } = await bundle(`import { loadCore, pack } from "./index.js";
    export const run = async (lengths, options) => pack(await loadCore(), lengths, options);`);
  const gzip = gzipSync(code, { level: 9 }).length;
  report(`pack-only bundle: ${kilobytes(code.length)}, gzip ${kilobytes(gzip)}`, parts);
  expect(gzip).toBeLessThanOrEqual(20_480);
  expect(files.filter((file) => /^dist\/(plan|search|workers|read|write|cli)\/|omnibal\.js/.test(file))).toEqual([]);
  expect(files).toContain("dist/pack/isf.js");
});

test("a worker carries neither the facade nor the driver of searches", async () => {
  const { code, parts, files } = await bundle(`import "./workers/worker.js";`);
  const gzip = gzipSync(code, { level: 9 }).length;
  report(`worker bundle: ${kilobytes(code.length)}, gzip ${kilobytes(gzip)}`, parts);
  expect(gzip).toBeLessThanOrEqual(20_480);
  expect(files.filter((file) => /omnibal\.js|search\/search\.js|workers\/pool\.js|loader/.test(file))).toEqual([]);
});

test("the command costs at most 8 KB of that: the same build without _start is so much smaller", () => {
  for (const name of ["assembly", "asconfig.json"]) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const index = join(folder, "assembly/index.ts");
  const source = readFileSync(index, "utf8");
  const library = source.replace(/^export \{ start as _start \}.*$/m, "");
  expect(library.length).toBeLessThan(source.length);
  writeFileSync(index, library);
  compile(folder);
  const out = join(folder, "build/omnibal.wasm");
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(out)));
  expect(imports).toEqual([]);
  expect(WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(out))).length).toBeGreaterThan(50);
  const cost = brotli(wasm) - brotli(out);
  expect(cost).toBeGreaterThan(0);
  expect(cost).toBeLessThanOrEqual(8_192);
}, 120_000);

test("it asks for WASI alone, and for no more than the command needs", () => {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(wasm)));
  expect(new Set(imports.map(({ module, kind }) => `${module} ${kind}`))).toEqual(
    new Set(["wasi_snapshot_preview1 function"]),
  );
  expect(imports.map(({ name }) => name).sort()).toEqual([
    "args_get",
    "args_sizes_get",
    "fd_close",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_read",
    "fd_write",
    "path_open",
    "proc_exit",
  ]);
});
