import { type Abi, check, DAMAGED_STATE, FOREIGN_STATE, outOfMemory } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { InputError, show } from "../core/errors.ts";
import { invalidLength, type LengthsInput, toVitTokens } from "../core/lengths.ts";
import { MAX_INT32, type NamesOf, onlyNames, SEED, type Spec, take } from "../core/options.ts";
import { withRow } from "./option-names.ts";
import { BOUNDS } from "./options.ts";

/** What a packer of streams is made with. */
export interface PackerOptions {
  /** Most tiles in a group, 1 .. 2^31 - 1. */
  readonly maxVit: number;
  /** Most tokens in a group, 1 .. 2^31 - 1. */
  readonly maxTokens: number;
  /** Samples kept back to choose from, 1 .. 1,000,000, and many times what a group holds. Default: 10,000. */
  readonly buffer?: number;
  /** 0 .. 2^32 - 1. Default: 1024. */
  readonly seed?: number;
}

export const PACKER_OPTIONS = {
  ...BOUNDS,
  buffer: { kind: "integer", low: 1, high: 1_000_000, default: 10_000 },
  seed: SEED,
} as const satisfies NamesOf<PackerOptions, Spec>;

/** A group that has left a packer. */
export interface PackedGroup {
  /** Its samples: positions in the stream, from 0. */
  readonly indices: Int32Array;
  /** Tiles, <= maxVit. */
  readonly vit: number;
  /** Tokens, <= maxTokens. */
  readonly tokens: number;
}

/** What comes out of a packer at a call. */
export interface PackerOutput {
  /** Groups that became full, in the order in which they did. */
  readonly groups: readonly PackedGroup[];
  /** Samples of this push that are beyond a bound, ascending: no group will have them. */
  readonly oversize: Int32Array;
}

/** How a state begins: "obst", and the format version that the core reads and writes. */
const MAGIC = 0x7473626f;
const FORMAT = 1;

/** Samples per call into the core: what its input holds. */
const PIECE = 4096;

/**
 * Packs samples as they arrive. Up to `buffer` of them wait; when it is full, a group of the best mates found leaves
 * it, which begins with the sample that waits longest. Every sample comes back once, in a group or in `oversize`. The
 * groups depend on the samples in their order, the bounds, `buffer` and `seed`, not on how pushes are cut.
 *
 * A packer has an instance of the core for itself: 0.4 MB and 56 bytes per sample of `buffer`.
 */
export class Packer {
  /** Most tiles in a group. */
  readonly maxVit: number;
  /** Most tokens in a group. */
  readonly maxTokens: number;
  /** What draws are seeded with. */
  readonly seed: number;
  readonly #buffer: number;
  readonly #abi: Abi;

  /** For `Omnibal.packer` and `Omnibal.loadPacker`: `abi` has a stream begun with these options. */
  constructor(abi: Abi, options: Required<PackerOptions>) {
    this.#abi = abi;
    this.maxVit = options.maxVit;
    this.maxTokens = options.maxTokens;
    this.#buffer = options.buffer;
    this.seed = options.seed;
  }

  /** Samples kept back to choose from. No own property: a packer has those that `pack` takes as options. */
  get buffer(): number {
    return this.#buffer;
  }

  /** Samples that wait for a group, 0 .. buffer - 1. */
  get pending(): number {
    return this.#abi.streamPending();
  }

  /** Samples pushed so far: the next one has this index. */
  get taken(): number {
    return this.#abi.streamTaken();
  }

  /**
   * Takes the next samples, O(1) each: 0.1 us where lengths are of few kinds, 1 us where they are of many. When it
   * throws, none was taken.
   *
   * @throws InputError for lengths, as `pack` does; its index counts from the start of this push. INVALID_INPUT after
   *   2^31 - 1 samples.
   */
  push(lengths: LengthsInput): PackerOutput {
    const { vit, tokens } = toVitTokens(lengths);
    // Looked for before any piece is pushed, so that a push is taken whole or not at all.
    const badVit = vit.findIndex((x) => x < 0);
    if (badVit !== -1) throw invalidLength("vit", badVit, vit[badVit]);
    const badTokens = tokens.findIndex((x) => x < 0);
    if (badTokens !== -1) throw invalidLength("tokens", badTokens, tokens[badTokens]);
    if (vit.length > MAX_INT32 - this.taken) {
      throw new InputError(
        "INVALID_INPUT",
        `${vit.length} samples after ${this.taken}, expected at most ${MAX_INT32} in all`,
      );
    }
    const groups: PackedGroup[] = [];
    const oversize: number[] = [];
    const abi = this.#abi;
    for (let from = 0; from < vit.length; from += PIECE) {
      const end = Math.min(from + PIECE, vit.length);
      const input = new Int32Array(abi.memory.buffer, abi.streamInput() >>> 0, PIECE * 2);
      input.set(vit.subarray(from, end));
      input.set(tokens.subarray(from, end), PIECE);
      check(abi, abi.streamPush(end - from), end - from, () => undefined);
      takeGroups(abi, groups);
      const beyond = new Int32Array(abi.memory.buffer, abi.packingOversize() >>> 0, abi.packingOversizeCount());
      for (const index of beyond) oversize.push(index);
    }
    return { groups, oversize: Int32Array.from(oversize) };
  }

  /** All samples that wait, in groups. More can be pushed after it: their indices go on. */
  flush(): PackerOutput {
    const groups: PackedGroup[] = [];
    this.#abi.streamFlush();
    takeGroups(this.#abi, groups);
    return { groups, oversize: new Int32Array(0) };
  }

  /**
   * The state, for `Omnibal.loadPacker`, which makes a packer that goes on just as this one does. 12 bytes per waiting
   * sample, 16 per class of lengths seen (2,112 at most) and 72.
   *
   * @throws EngineError OUT_OF_MEMORY.
   */
  save(): Uint8Array {
    const abi = this.#abi;
    const top = abi.mark();
    try {
      const size = abi.streamStateBytes();
      const at = abi.alloc(size) >>> 0;
      if (at === 0) throw outOfMemory(this.pending);
      abi.streamSave(at);
      return new Uint8Array(abi.memory.buffer, at, size).slice();
    } finally {
      abi.release(top);
    }
  }

  /**
   * A Web stream through this packer: lengths in, groups out; it flushes at the end. `onOversize` is called with the
   * samples beyond a bound, before the groups of the same chunk; what it throws ends the stream.
   */
  transform(onOversize: (indices: Int32Array) => void): TransformStream<LengthsInput, PackedGroup> {
    return new TransformStream<LengthsInput, PackedGroup>({
      transform: (lengths, controller) => {
        const { groups, oversize } = this.push(lengths);
        if (oversize.length > 0) onOversize(oversize);
        for (const group of groups) controller.enqueue(group);
      },
      flush: (controller) => {
        for (const group of this.flush().groups) controller.enqueue(group);
      },
    });
  }
}

/** Copies the core's groups out, each into an array of its own: a view would keep, and send to a worker, all others. */
function takeGroups(abi: Abi, out: PackedGroup[]): void {
  const count = abi.packingGroups();
  const { buffer } = abi.memory;
  const offsets = new Int32Array(buffer, abi.packingOffsets() >>> 0, count + 1);
  const order = new Int32Array(buffer, abi.packingOrder() >>> 0, offsets[count]);
  const vit = new Int32Array(buffer, abi.packingVit() >>> 0, count);
  const tokens = new Int32Array(buffer, abi.packingTokens() >>> 0, count);
  for (let g = 0; g < count; g++) {
    out.push({ indices: order.slice(offsets[g], offsets[g + 1]), vit: vit[g], tokens: tokens[g] });
  }
}

/** The body of `Omnibal.packer`. */
export function packer(core: Core, options: PackerOptions): Packer {
  onlyNames("packer", options, withRow(options, PACKER_OPTIONS));
  const { abi } = core.another();
  const all = {
    maxVit: take(PACKER_OPTIONS, "maxVit", options),
    maxTokens: take(PACKER_OPTIONS, "maxTokens", options),
    buffer: take(PACKER_OPTIONS, "buffer", options),
    seed: take(PACKER_OPTIONS, "seed", options),
  };
  check(abi, abi.streamBegin(all.maxVit, all.maxTokens, all.buffer, all.seed), all.buffer, () => undefined);
  return new Packer(abi, all);
}

/** The body of `Omnibal.loadPacker`. */
export function loadPacker(core: Core, bytes: Uint8Array, expected: Partial<PackerOptions>): Packer {
  onlyNames("loadPacker", expected, PACKER_OPTIONS);
  if (!(bytes instanceof Uint8Array)) {
    throw new InputError("INVALID_INPUT", `the state is ${show(bytes)}, expected a Uint8Array`);
  }
  const own = core.another();
  const { abi } = own;
  const at = own.alloc(bytes.length, bytes.length);
  own.bytes(at, bytes.length).set(bytes);
  const status = abi.streamLoad(at, bytes.length);
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (status === FOREIGN_STATE) {
    const isState = bytes.length >= 8 && header.getUint32(0, true) === MAGIC;
    const why = isState
      ? `a packer's state of format ${header.getUint32(4, true)}, expected ${FORMAT}: go on with the version of omnibal that saved it, or start a new packer`
      : `${bytes.length} bytes that are not the state of a packer`;
    throw new InputError("INVALID_STATE", why);
  }
  if (status === DAMAGED_STATE) {
    throw new InputError("INVALID_STATE", `${bytes.length} bytes of a packer's state that are cut short or altered`);
  }
  check(abi, status, bytes.length, () => undefined);
  const saved = {
    maxVit: header.getInt32(8, true),
    maxTokens: header.getInt32(12, true),
    buffer: header.getInt32(16, true),
    seed: header.getUint32(20, true),
  };
  for (const name of ["maxVit", "maxTokens", "buffer", "seed"] as const) {
    if (expected[name] !== undefined && expected[name] !== saved[name]) {
      throw new InputError(
        "INVALID_STATE",
        `the state is of a packer with ${name} ${saved[name]}, expected ${show(expected[name])}`,
      );
    }
  }
  return new Packer(abi, saved);
}
