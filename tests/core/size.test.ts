// What the module weighs: all of it, and what its users in JavaScript carry for the WASI command.
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { expect, test } from "vitest";
import { testFolder } from "../folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const wasm = join(root, "build/omnibal.wasm");
const folder = testFolder();

test("the whole module is sent in at most 64 KB", () => {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  expect(brotliCompressSync(readFileSync(wasm), { params }).length).toBeLessThanOrEqual(65_536);
});

test("the command costs at most 16 KB: the same build without _start is so much smaller", () => {
  for (const name of ["assembly", "asconfig.json"]) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const index = join(folder, "assembly/index.ts");
  const source = readFileSync(index, "utf8");
  const library = source.replace(/^export \{ start as _start \}.*$/m, "");
  expect(library.length).toBeLessThan(source.length);
  writeFileSync(index, library);
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const [compiler, ...args] = scripts["build:wasm"].split(" ");
  expect(compiler).toBe("asc");
  execFileSync(process.execPath, [join(root, "node_modules/assemblyscript/bin/asc.js"), ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const out = join(folder, "build/omnibal.wasm");
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(out)));
  expect(imports).toEqual([]);
  expect(WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(out))).length).toBeGreaterThan(50);
  const cost = statSync(wasm).size - statSync(out).size;
  expect(cost).toBeGreaterThan(0);
  expect(cost).toBeLessThanOrEqual(16_384);
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
