import { Omnibal } from "../omnibal.ts";
import type { Abi } from "./abi.ts";
import { imports } from "./wasi.ts";

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
