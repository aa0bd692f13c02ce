import { type ASUtil, instantiate, instantiateStreaming, instantiateSync } from "@assemblyscript/loader";
import { Core } from "./core.ts";
import { EngineError } from "./errors.ts";
import { imports } from "./wasi.ts";

/** Where the module comes from: a URL or its response, its bytes, or the compiled module. */
export type WasmSource = URL | string | Response | BufferSource | WebAssembly.Module;

type Exports = ASUtil & Record<string, unknown>;

function fromInstance({ exports, module }: { exports: unknown; module: WebAssembly.Module }): Core {
  return Core.from(exports, module);
}

/** The file beside this code that `loadCore` takes when it is given nothing. */
function packagedWasm(): URL {
  return new URL("../../build/omnibal.wasm", import.meta.url);
}

async function fetchModule(url: URL): Promise<Core> {
  // Node's fetch has no file: URLs. Asked for at run time, so that bundlers for browsers see no import of node:fs.
  const fs = url.protocol === "file:" ? globalThis.process?.getBuiltinModule?.("node:fs/promises") : undefined;
  if (fs !== undefined) return fromInstance(await instantiate<Exports>(await fs.readFile(url), imports()));
  return fromResponse(await fetch(url));
}

async function fromResponse(response: Response): Promise<Core> {
  if (!response.ok) {
    throw new EngineError(
      "LOAD_FAILED",
      `${response.url}: ${response.status} ${response.statusText}, expected the module`,
    );
  }
  // Compiling while it arrives needs this type; with any other type we take the slower way.
  if (response.headers.get("content-type")?.startsWith("application/wasm")) {
    return fromInstance(await instantiateStreaming<Exports>(response, imports()));
  }
  return fromInstance(await instantiate<Exports>(await response.arrayBuffer(), imports()));
}

/**
 * An instance of the core, from the packaged module or from `source`.
 *
 * @throws EngineError LOAD_FAILED if the module cannot be fetched or read, or is not one of this package.
 */
export async function loadCore(source: WasmSource | Promise<WasmSource> = packagedWasm()): Promise<Core> {
  try {
    const from = await source;
    if (typeof from === "string") return await fetchModule(new URL(from, globalThis.location?.href));
    if (from instanceof URL) return await fetchModule(from);
    if (typeof Response !== "undefined" && from instanceof Response) return await fromResponse(from);
    return fromInstance(await instantiate<Exports>(from as BufferSource, imports()));
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError("LOAD_FAILED", `the module cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
}

/** `loadCore` without waiting, for bytes or a compiled module. Browsers allow only the latter on the main thread. */
export function loadCoreSync(source: BufferSource | WebAssembly.Module): Core {
  try {
    return fromInstance(instantiateSync<Exports>(source as BufferSource, imports()));
  } catch (error) {
    throw new EngineError("LOAD_FAILED", `the module cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
}
