// What only Node and Deno have. It is asked for at run time: a bundler for browsers sees no import of it.
import { OptionError } from "../core/errors.ts";

interface Builtins {
  readonly "node:crypto": typeof import("node:crypto");
  readonly "node:fs": typeof import("node:fs");
  readonly "node:fs/promises": typeof import("node:fs/promises");
  readonly "node:net": typeof import("node:net");
  readonly "node:path": typeof import("node:path");
  readonly "node:stream": typeof import("node:stream");
  readonly "node:zlib": typeof import("node:zlib");
}

/** A module of the host; undefined in a browser. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name) as Builtins[Name] | undefined;
}

/** `builtin` for what works with paths only. @throws OptionError where there is no file system. */
export function needed<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  const found = builtin(name);
  if (found !== undefined) return found;
  throw new OptionError(
    "INVALID_OPTION",
    "paths can be read in Node and Deno only: give a File, a ReadableStream, bytes or { byteLength, slice }",
  );
}
