const ENOSYS = 52;

function exit(code: number): never {
  throw new Error(`the command of omnibal.wasm ended with ${code}: it needs a WASI host, such as wasmtime`);
}

/**
 * The module is also a WASI command, and imports what that needs. The library never runs the command: here all imports
 * return ENOSYS, so that no user has to bring a WASI. A new object for every instance, since a loader may write into
 * it.
 */
export function imports(): WebAssembly.Imports & Record<string, unknown> {
  const refuse = (_: object, name: string | symbol) => (name === "proc_exit" ? exit : () => ENOSYS);
  return { wasi_snapshot_preview1: new Proxy({}, { get: refuse }) };
}
