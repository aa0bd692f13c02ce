import { type Abi, check, DAMAGED_STATE, FOREIGN_STATE, outOfMemory } from "../core/abi.ts";
import type { Core } from "../core/core.ts";
import { InputError, OptionError, show } from "../core/errors.ts";
import {
  alignTokens,
  invalidLength,
  type LengthsInput,
  type LoadColumn,
  loadColumn,
  loadName,
  toLengths,
} from "../core/lengths.ts";
import { MAX_INT32, type NamesOf, onlyNames, SEED, type Spec, take } from "../core/options.ts";
import { withRow } from "./option-names.ts";
import { COMMON, type CommonPackOptions, type PackLoads, resolveLoads } from "./options.ts";
import { type ByLoad, SHORT_BOUNDS } from "./packing.ts";

/** What a packer of streams is made with. */
export interface PackerOptions extends Pick<CommonPackOptions, "max" | "carry" | "align" | "maxVit" | "maxTokens"> {
  /** Samples kept back to choose from, 1 .. 1,000,000, and many times what a group holds. Default: 10,000. */
  readonly buffer?: number;
  /** 0 .. 2^32 - 1. Default: 1024. */
  readonly seed?: number;
}

export const PACKER_OPTIONS = {
  max: COMMON.max,
  carry: COMMON.carry,
  align: COMMON.align,
  maxVit: COMMON.maxVit,
  maxTokens: COMMON.maxTokens,
  buffer: { kind: "integer", low: 1, high: 1_000_000, default: 10_000 },
  seed: SEED,
} as const satisfies NamesOf<PackerOptions, Spec>;

/** A group that has left a packer. */
export interface PackedGroup {
  /** Its samples: positions in the stream, from 0. */
  readonly indices: Int32Array;
  /** The sum of each load, bounded ones first. */
  readonly loads: ByLoad<number>;
  /** Short for `loads.vit`; 0 where that is no load. */
  readonly vit: number;
  /** Short for `loads.tokens`; 0 where they are no load. */
  readonly tokens: number;
}

/** What comes out of a packer at a call. */
export interface PackerOutput {
  /** Groups that became full, in the order in which they did. */
  readonly groups: readonly PackedGroup[];
  /** Samples of this push that are beyond a bound, ascending: no group will have them. */
  readonly oversize: Int32Array;
}

/** How a state begins: "obst", and the format versions that the core reads and writes: 2 where there are other loads. */
const MAGIC = 0x7473626f;
const FORMATS = [1, 2];

/** Samples per call into the core: what its input holds. */
const PIECE = 4096;

/** The loads of a packer in the places that the core has for them. */
interface Places {
  /** Two loads guide the draw: in the place of vit, which there may be none in, and in that of tokens. */
  readonly guides: readonly [vit: string | undefined, tokens: string];
  /** Those that only bound the groups, or are added up. */
  readonly others: readonly string[];
}

/** Tokens guide the draw, and the first other load that is bounded; without tokens the first two that are. */
function placesOf({ max, names }: PackLoads): Places {
  const able = Object.keys(max).filter((name) => max[name] <= MAX_INT32);
  const tokens = able.includes("tokens") ? "tokens" : (able[1] ?? able[0]);
  if (tokens === undefined) {
    throw new OptionError("INVALID_OPTION", `a packer needs a load with a bound of at most ${MAX_INT32}`);
  }
  const vit = able.find((name) => name !== tokens);
  return { guides: [vit, tokens], others: names.filter((name) => name !== vit && name !== tokens) };
}

/** Whether a state needs to say nothing of loads: those are the usual two. */
function isUsual({ max, names, align }: PackLoads): boolean {
  return align === 1 && names.length === 2 && Object.hasOwn(max, "vit") && Object.hasOwn(max, "tokens");
}

/**
 * Packs samples as they arrive. Up to `buffer` of them wait; when it is full, a group of the best mates found leaves
 * it, which begins with the sample that waits longest. Every sample comes back once, in a group or in `oversize`. The
 * groups depend on the samples in their order, the bounds, `buffer` and `seed`, not on how pushes are cut. Of more than two
 * loads, tokens and the first other one guide what is drawn (without tokens the first two); all bounds are kept.
 *
 * A packer has an instance of the core for itself: 0.4 MB and 56 bytes per sample of `buffer`, 16 more for each load above
 * two.
 */
export class Packer {
  /** Most tiles in a group, where the loads are vit and tokens alone. */
  declare readonly maxVit?: number;
  /** Most tokens in a group, where the loads are vit and tokens alone. */
  declare readonly maxTokens?: number;
  /** Most of each load in a group, where there are other loads. */
  declare readonly max?: ByLoad<number>;
  /** Loads without a bound, if any. */
  declare readonly carry?: readonly string[];
  /** What tokens are rounded up to, where that is more than 1. */
  declare readonly align?: number;
  /** What draws are seeded with. */
  readonly seed: number;
  readonly #buffer: number;
  readonly #abi: Abi;
  readonly #loads: PackLoads;
  readonly #places: Places;

  /** For `Omnibal.packer` and `Omnibal.loadPacker`: `abi` has a stream begun with these options. @internal */
  constructor(abi: Abi, loads: PackLoads, buffer: number, seed: number) {
    this.#abi = abi;
    this.#loads = loads;
    this.#places = placesOf(loads);
    const { max, carry, align } = loads;
    // Own properties are those that `pack` takes as options.
    Object.assign(
      this,
      isUsual(loads)
        ? { maxVit: max.vit, maxTokens: max.tokens }
        : { max, ...(carry.length > 0 ? { carry } : {}), ...(align > 1 ? { align } : {}) },
    );
    this.#buffer = buffer;
    this.seed = seed;
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
    const { names, max, align } = this.#loads;
    const samples = toLengths(lengths, names);
    const counted = align > 1 ? alignTokens(samples, align) : samples;
    const columns = Object.fromEntries(names.map((name) => [name, loadColumn(counted, name)]));
    // Looked for before any piece is pushed, so that a push is taken whole or not at all.
    for (const [name, values] of Object.entries(columns)) {
      const bad = (values as Float64Array).findIndex((x) => x < 0);
      if (bad !== -1) throw invalidLength(name, bad, values[bad]);
      // Such a sample would be cut to the bound.
      const large =
        values instanceof Float64Array && max[name] === MAX_INT32 ? values.findIndex((x) => x > MAX_INT32) : -1;
      if (large !== -1) throw invalidLength(name, large, values[large], MAX_INT32);
    }
    const count = columns[names[0]].length;
    if (count > MAX_INT32 - this.taken) {
      throw new InputError(
        "INVALID_INPUT",
        `${count} samples after ${this.taken}, expected at most ${MAX_INT32} in all`,
      );
    }
    const { guides, others } = this.#places;
    const groups: PackedGroup[] = [];
    const oversize: number[] = [];
    const abi = this.#abi;
    for (let from = 0; from < count; from += PIECE) {
      const end = Math.min(from + PIECE, count);
      const input = new Int32Array(abi.memory.buffer, abi.streamInput() >>> 0, PIECE * 2);
      for (const [place, name] of guides.entries()) {
        const at = place * PIECE;
        if (name === undefined) input.fill(0, at, at + end - from);
        else input.set(narrow(columns[name].subarray(from, end)), at);
      }
      const more = new Float64Array(abi.memory.buffer, abi.streamInputMore() >>> 0, PIECE * others.length);
      for (const [k, name] of others.entries()) more.set(columns[name].subarray(from, end), k * PIECE);
      check(abi, abi.streamPush(end - from), end - from, () => undefined);
      this.#takeGroups(groups);
      const beyond = new Int32Array(abi.memory.buffer, abi.packingOversize() >>> 0, abi.packingOversizeCount());
      for (const index of beyond) oversize.push(index);
    }
    return { groups, oversize: Int32Array.from(oversize) };
  }

  /** All samples that wait, in groups. More can be pushed after it: their indices go on. */
  flush(): PackerOutput {
    const groups: PackedGroup[] = [];
    this.#abi.streamFlush();
    this.#takeGroups(groups);
    return { groups, oversize: new Int32Array(0) };
  }

  /**
   * The state, for `Omnibal.loadPacker`, which makes a packer that goes on just as this one does. 12 bytes per waiting
   * sample, 16 per class of lengths seen (2,112 at most) and 72; with other loads than vit and tokens their names and bounds too,
   * and 8 more per waiting sample for each load above two.
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

  /** Copies the core's groups out, each into an array of its own: a view would keep, and send to a worker, all others. */
  #takeGroups(out: PackedGroup[]): void {
    const abi = this.#abi;
    const { names } = this.#loads;
    const { guides, others } = this.#places;
    const count = abi.packingGroups();
    const { buffer } = abi.memory;
    const offsets = new Int32Array(buffer, abi.packingOffsets() >>> 0, count + 1);
    const order = new Int32Array(buffer, abi.packingOrder() >>> 0, offsets[count]);
    const sums = [abi.packingVit(), abi.packingTokens()].map((at) => new Int32Array(buffer, at >>> 0, count));
    const more = new Float64Array(buffer, abi.streamSumsMore() >>> 0, count * others.length);
    // Written out for the usual two: a group in ten samples is a good part of the time.
    if (isUsual(this.#loads)) {
      const [ofVit, ofTokens] = sums;
      for (let g = 0; g < count; g++) {
        const [vit, tokens] = [ofVit[g], ofTokens[g]];
        out.push({ indices: order.slice(offsets[g], offsets[g + 1]), loads: { vit, tokens }, vit, tokens });
      }
      return;
    }
    const columns = names.map((name): [values: LoadColumn, step: number, first: number] => {
      const place = guides.indexOf(name);
      return place === -1 ? [more, others.length, others.indexOf(name)] : [sums[place], 1, 0];
    });
    for (let g = 0; g < count; g++) {
      const loads: Record<string, number> = {};
      for (const [k, [values, step, first]] of columns.entries()) loads[names[k]] = values[g * step + first];
      const { vit = 0, tokens = 0 } = loads;
      out.push({ indices: order.slice(offsets[g], offsets[g + 1]), loads, vit, tokens });
    }
  }
}

/** Loads that guide as the core takes them; what is beyond 2^31 - 1 is beyond its bound. */
function narrow(values: LoadColumn): Int32Array {
  return values instanceof Int32Array ? values : Int32Array.from(values, (x) => Math.min(x, MAX_INT32));
}

/** What a state says of loads. */
function labelOf(loads: PackLoads): string {
  const { max, carry, align } = loads;
  return isUsual(loads) ? "" : JSON.stringify({ max, carry, ...(align > 1 ? { align } : {}) });
}

/** The body of `Omnibal.packer`. */
export function packer(core: Core, options: PackerOptions): Packer {
  onlyNames("packer", options, withRow(options, PACKER_OPTIONS));
  const loads = resolveLoads(options);
  const { guides, others } = placesOf(loads);
  const buffer = take(PACKER_OPTIONS, "buffer", options);
  const seed = take(PACKER_OPTIONS, "seed", options);
  const own = core.another();
  const { abi } = own;
  const [vit = 1, tokens] = guides.map((name) => (name === undefined ? 1 : loads.max[name]));
  const top = abi.mark();
  const bounds = own.alloc(others.length * 8, buffer);
  own.float64(bounds, others.length).set(others.map((name) => loads.max[name] ?? Number.MAX_SAFE_INTEGER));
  const label = new TextEncoder().encode(labelOf(loads));
  const labelAt = own.alloc(label.length, buffer);
  own.bytes(labelAt, label.length).set(label);
  const begun = abi.streamBeginMore(vit, tokens, buffer, seed, others.length, bounds, labelAt, label.length);
  if (begun !== 0) abi.release(top);
  check(abi, begun, buffer, () => undefined);
  return new Packer(abi, loads, buffer, seed);
}

/** The loads of the state that the core has just read; undefined where what it says of them cannot be. */
function loadsIn(own: Core, vit: number, tokens: number): PackLoads | undefined {
  const { abi } = own;
  const text = new TextDecoder().decode(own.bytes(abi.streamLabel(), abi.streamLabelBytes()));
  try {
    const loads = text === "" ? resolveLoads({ maxVit: vit, maxTokens: tokens }) : resolveLoads(JSON.parse(text));
    const { guides, others } = placesOf(loads);
    const [mostVit, mostTokens] = guides.map((name) => (name === undefined ? 1 : loads.max[name]));
    return mostVit === vit && mostTokens === tokens && others.length === abi.streamMore() ? loads : undefined;
  } catch {
    return undefined;
  }
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
      ? `a packer's state of format ${header.getUint32(4, true)}, expected ${FORMATS.join(" or ")}: go on with the version of omnibal that saved it, or start a new packer`
      : `${bytes.length} bytes that are not the state of a packer`;
    throw new InputError("INVALID_STATE", why);
  }
  const damaged = `${bytes.length} bytes of a packer's state that are cut short or altered`;
  if (status === DAMAGED_STATE) throw new InputError("INVALID_STATE", damaged);
  check(abi, status, bytes.length, () => undefined);
  const loads = loadsIn(own, header.getInt32(8, true), header.getInt32(12, true));
  if (loads === undefined) throw new InputError("INVALID_STATE", damaged);
  const buffer = header.getInt32(16, true);
  const seed = header.getUint32(20, true);
  const differs = (name: string, saved: unknown, asked: unknown) => {
    if (asked === undefined || asked === saved) return;
    const seen = saved === undefined ? `without ${name}` : `with ${name} ${saved}`;
    throw new InputError("INVALID_STATE", `the state is of a packer ${seen}, expected ${show(asked)}`);
  };
  for (const [name, [short]] of Object.entries(SHORT_BOUNDS)) differs(short, loads.max[name], expected[short]);
  for (const [name, bound] of Object.entries(expected.max ?? {}))
    differs(`max.${name}`, loads.max[loadName(name)], bound);
  if (expected.carry !== undefined) differs("carry", loads.carry.join(","), expected.carry.map(loadName).join(","));
  differs("align", loads.align, expected.align);
  differs("buffer", buffer, expected.buffer);
  differs("seed", seed, expected.seed);
  return new Packer(abi, loads, buffer, seed);
}
