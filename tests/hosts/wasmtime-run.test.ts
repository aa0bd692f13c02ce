// The way WASI commands are run by wasmtime here, on a command that copies stdin and ends with its argument count.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { afterAll, expect } from "vitest";
import { python, pythonMissing } from "./wasmtime.ts";
import { whenThere } from "./when-there.ts";

const runner = fileURLToPath(new URL("wasmtime_run.py", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "omnibal-command-"));
afterAll(() => rmSync(folder, { recursive: true }));

const source = `
@external("wasi_snapshot_preview1", "args_sizes_get")
declare function args_sizes_get(count: usize, bytes: usize): i32;
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, iovs: usize, count: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, iovs: usize, count: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: i32): void;
const iov: usize = memory.data(16);
const buffer: usize = memory.data(4096);
export function _start(): void {
  while (true) {
    store<u32>(iov, <u32>buffer);
    store<u32>(iov + 4, 4096);
    if (fd_read(0, iov, 1, iov + 8) != 0 || load<u32>(iov + 8) == 0) break;
    store<u32>(iov + 4, load<u32>(iov + 8));
    if (fd_write(1, iov, 1, iov + 8) != 0) break;
  }
  args_sizes_get(iov, iov + 4);
  proc_exit(load<i32>(iov));
}
`;

whenThere(pythonMissing())("arguments, stdin, stdout and the exit code pass through", async () => {
  const { binary, stderr } = await asc.compileString(source, { runtime: "stub" });
  if (binary === null) throw new Error(stderr.toString());
  const module = join(folder, "copy.wasm");
  writeFileSync(module, binary);
  const input = "12345\n".repeat(100_000);
  const { stdout, status } = spawnSync(python, [runner, "--dir", folder, module, "pack", "--json"], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  expect(stdout).toBe(input);
  expect(status).toBe(3);
});
