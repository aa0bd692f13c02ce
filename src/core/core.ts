import { ABI_VERSION, type Abi, outOfMemory } from "./abi.ts";
import { EngineError } from "./errors.ts";
import { MAX_UINT32 } from "./options.ts";
import { imports } from "./wasi.ts";

/** Something with a core: an `Omnibal`, or a `Core` itself. */
export interface HasCore {
  /** The core. */
  readonly core: Core;
}

/**
 * One instance of the module: its exports, its memory, and whether it is in use. The functions of the package take it
 * as their first argument; `Omnibal` wraps one. It runs one call at a time; for parallel work, make several.
 */
export class Core implements HasCore {
  /** The raw exports. */
  readonly abi: Abi;
  /** The compiled module; undefined for a core made from exports alone, which cannot make another. */
  readonly module: WebAssembly.Module | undefined;
  #busy = false;

  /** Itself, so that a `Core` will do wherever something with a core is expected. */
  get core(): Core {
    return this;
  }

  /** Wraps exports without checking their version, which `Core.from` does. */
  constructor(abi: Abi, module?: WebAssembly.Module) {
    this.abi = abi;
    this.module = module;
  }

  /** A core of the exports of `module`. @throws EngineError LOAD_FAILED if they are not those of this package. */
  static from(exports: unknown, module: WebAssembly.Module | undefined): Core {
    const abi = exports as Abi;
    const version: unknown = typeof abi.abiVersion === "function" ? abi.abiVersion() : undefined;
    if (version === ABI_VERSION) return new Core(abi, module);
    throw new EngineError(
      "LOAD_FAILED",
      version === undefined
        ? "this is not the omnibal.wasm of this package: it has no abiVersion"
        : `the module has ABI version ${version}, this package needs ${ABI_VERSION}: load the omnibal.wasm that came with it`,
    );
  }

  /**
   * A core of a compiled module, made with nothing but WebAssembly itself: import maps do not reach workers, so code
   * that runs there must import no package by name.
   */
  static of(module: WebAssembly.Module): Core {
    return Core.from(new WebAssembly.Instance(module, imports()).exports, module);
  }

  /**
   * Another instance of the same module. Browsers allow that on the main thread without waiting, as the module is
   * small.
   *
   * @throws EngineError LOAD_FAILED if the module is not known, OUT_OF_MEMORY if there is no room for another instance.
   */
  another(): Core {
    if (this.module === undefined) {
      throw new EngineError("LOAD_FAILED", "a packer needs the compiled module: make this with load or loadSync");
    }
    try {
      return Core.of(this.module);
    } catch (error) {
      throw new EngineError("OUT_OF_MEMORY", `no room for another instance: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** Takes the instance. What is allocated from here on is freed by `leave` of the value returned. */
  enter(): number {
    if (this.#busy) {
      throw new EngineError(
        "BUSY",
        "this instance is still at work: a callback has called it, or a generator (packInRounds, packingText) has not ended. Call return() on that one, or use another instance",
      );
    }
    this.#busy = true;
    return this.abi.mark();
  }

  /** Ends the use that `enter` began. */
  leave(top: number): void {
    this.#busy = false;
    this.abi.release(top);
  }

  /** Runs `work` while nothing else may use this instance, and frees all that it allocated. */
  exclusive<T>(work: () => T): T {
    const top = this.enter();
    try {
      return work();
    } finally {
      this.leave(top);
    }
  }

  /**
   * Allocates `bytes`, freed with the mark before them. `samples` is for the message. @throws EngineError OUT_OF_MEMORY
   */
  alloc(bytes: number, samples: number): number {
    const at = bytes > MAX_UINT32 ? 0 : this.abi.alloc(bytes) >>> 0;
    if (at === 0) throw outOfMemory(samples);
    return at;
  }

  /** int32[length] at `at`, in place: a view that dies when memory grows. */
  int32(at: number, length: number): Int32Array {
    return new Int32Array(this.abi.memory.buffer, at >>> 0, length);
  }

  /** float64[length] at `at`, in place. */
  float64(at: number, length: number): Float64Array {
    return new Float64Array(this.abi.memory.buffer, at >>> 0, length);
  }

  /** uint8[length] at `at`, in place. */
  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.abi.memory.buffer, at >>> 0, length);
  }

  /** Copies int32 values in, and returns their address. */
  copyIn(values: Int32Array, samples: number): number {
    const at = this.alloc(values.length * 4, samples);
    this.int32(at, values.length).set(values);
    return at;
  }

  /** Copies names in as exports take them: UTF-8, one after another, and uint32[count] bytes of each. */
  namesIn(
    names: readonly string[],
    samples: number,
  ): {
    /** Address of the bytes. */
    readonly names: number;
    /** Address of their lengths. */
    readonly lengths: number;
  } {
    const texts = names.map((name) => new TextEncoder().encode(name));
    const lengths = this.copyIn(
      Int32Array.from(texts, ({ length }) => length),
      samples,
    );
    const at = this.alloc(
      texts.reduce((sum, { length }) => sum + length, 0),
      samples,
    );
    let end = at;
    for (const text of texts) {
      this.bytes(end, text.length).set(text);
      end += text.length;
    }
    return { names: at, lengths };
  }
}
