import type { Abi } from "./abi.ts";
import { Omnibal } from "./omnibal.ts";

const ENOSYS = 52;

function exit(code: number): never {
  throw new Error(`the command of omnibal.wasm ended with ${code}: it needs a WASI host, such as wasmtime`);
}

/**
 * The module is a WASI command too, and asks for what that needs. The library never calls it: here all of it answers
 * ENOSYS, so that no user has to bring a WASI. New for every instance, since a loader may write into it.
 */
export function imports(): WebAssembly.Imports & Record<string, unknown> {
  const refuse = (_: object, name: string | symbol) => (name === "proc_exit" ? exit : () => ENOSYS);
  return { wasi_snapshot_preview1: new Proxy({}, { get: refuse }) };
}

export function fromInstance({ exports, module }: { exports: unknown; module: WebAssembly.Module }): Omnibal {
  return new Omnibal(exports as Abi, module);
}

/**
 * An instance of a compiled module, by nothing but WebAssembly itself: import maps do not reach workers, so what runs
 * in them must import no package by name.
 */
export function fromModule(module: WebAssembly.Module): Omnibal {
  return fromInstance({ exports: new WebAssembly.Instance(module, imports()).exports, module });
}
