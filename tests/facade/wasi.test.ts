// The facade gives the module the WASI functions that its command part asks for, all of them refusing.
import asc from "assemblyscript/asc";
import { expect, test } from "vitest";
import { ABI_VERSION } from "../../src/core/abi.ts";
import { load, loadSync } from "../../src/index.ts";

const source = `
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, iovs: usize, count: i32, read: usize): i32;
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: i32): void;
export function abiVersion(): i32 { return ${ABI_VERSION}; }
export function tryRead(): i32 { return fd_read(0, 0, 0, 0); }
export function tryExit(): void { proc_exit(3); }
`;
const { error, binary, stderr } = await asc.compileString(source, { runtime: "stub" });
if (error !== null || binary === null) throw new Error(stderr.toString());
const bytes = new Uint8Array(binary);
const typed = { headers: { "content-type": "application/wasm" } };

test.each([
  ["bytes", () => load(bytes)],
  ["a compiled module", async () => load(await WebAssembly.compile(bytes))],
  ["a response", () => load(new Response(bytes, typed))],
  ["a response of another type", () => load(new Response(bytes))],
  ["a data URL", () => load(`data:application/wasm;base64,${Buffer.from(bytes).toString("base64")}`)],
  ["bytes, at once", () => loadSync(bytes)],
])("a module with WASI imports loads from %s", async (_, get) => {
  const { tryRead, tryExit } = (await get()).abi as unknown as { tryRead(): number; tryExit(): void };
  expect(tryRead()).toBe(52);
  expect(tryExit).toThrow("ended with 3: it needs a WASI host");
});
