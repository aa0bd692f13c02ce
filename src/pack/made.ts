// What packings, plans and states were made of, so that whoever reads them can tell whether they fit. docs/formats.md
// describes all of it. Nothing here is computed before something is saved or compared.
import { type Abi, outOfMemory } from "../core/abi.ts";
import { show } from "../core/errors.ts";
import type { Lengths } from "../core/lengths.ts";
import type { GroupLoads } from "../plan/samplers.ts";
import type { Packing } from "./packing.ts";

/** 64 bits as 16 lower-case hexadecimal digits. */
export type Fingerprint = string;

/** A value for each load, by name. */
export interface ByLoad<T> {
  readonly vit: T;
  readonly tokens: T;
}

/** How a packing was made: what decided about its groups beside the samples. A key that does not apply is missing. */
export interface PackingSettings {
  /** Most of each load in a group. */
  readonly bounds?: ByLoad<number>;
  readonly method?: "isf" | "balanced";
  readonly seed?: number;
  /** `isf`: a group that reaches one of these is full. */
  readonly min?: ByLoad<number>;
  /** `isf`: rounds at most. */
  readonly rounds?: number;
  /** `balanced`: 0 .. 3. */
  readonly effort?: number;
}

/** What a packing was made of. */
export interface PackingMade extends PackingSettings {
  readonly version: 1;
  /** Samples there were to pack. */
  readonly samples: number;
  /** Fingerprints of the samples' loads; missing when the packing was made without them at hand. */
  readonly loads?: ByLoad<Fingerprint>;
  /** Fingerprint of the groups and the oversize samples. */
  readonly packing: Fingerprint;
}

/** Which groups a plan or a sampler is over. */
export interface GroupsMade {
  /** Groups of each packing (data group). */
  readonly groups: readonly number[];
  /** Fingerprint of the packings, the groups of which are numbered one after another. */
  readonly packing?: Fingerprint;
  /** In its place where the groups' loads are all that is known: their fingerprints. */
  readonly loads?: ByLoad<Fingerprint>;
}

/** Values per call into the core: a buffer that stays in the second-level cache. */
const PIECE = 16384;

function text(sum: bigint): Fingerprint {
  return BigInt.asUintN(64, sum).toString(16).padStart(16, "0");
}

/** Runs `work` on a buffer of 2 * PIECE + 1 numbers in the core, which is freed afterwards. */
function withBuffer(abi: Abi, samples: number, work: (at: number) => bigint): bigint {
  const top = abi.mark();
  try {
    const at = abi.alloc((2 * PIECE + 1) * 4) >>> 0;
    if (at === 0) throw outOfMemory(samples);
    return work(at);
  } finally {
    abi.release(top);
  }
}

function put(abi: Abi, at: number, values: Int32Array): void {
  new Int32Array(abi.memory.buffer, at, values.length).set(values);
}

function loadSum(abi: Abi, values: Int32Array, first: number): bigint {
  return withBuffer(abi, values.length, (at) => {
    let sum = 0n;
    for (let from = 0; from < values.length; from += PIECE) {
      const piece = values.subarray(from, from + PIECE);
      put(abi, at, piece);
      sum += abi.loadFingerprint(at, piece.length, first + from);
    }
    return sum;
  });
}

/** The samples of groups. */
type Samples = Pick<Packing, "offsets" | "indices" | "oversize">;

/** Adds up the groups from number `first` on, and the oversize samples. */
function packingSum(abi: Abi, { offsets, indices, oversize }: Samples, first: number): bigint {
  const groups = offsets.length - 1;
  return withBuffer(abi, indices.length, (at) => {
    const offsetsAt = at + PIECE * 4;
    const sumOf = (group: number, ends: Int32Array, from: number, to: number) => {
      put(abi, at, indices.subarray(from, to));
      put(abi, offsetsAt, ends);
      return abi.groupsFingerprint(offsetsAt, at, ends.length - 1, first + group);
    };
    let sum = 0n;
    for (let group = 0; group < groups; ) {
      const from = offsets[group];
      let end = group;
      while (end < groups && end - group < PIECE && offsets[end + 1] - from <= PIECE) end++;
      if (end > group) {
        const ends = offsets.slice(group, end + 1).map((offset) => offset - from);
        sum += sumOf(group, ends, from, offsets[end]);
        group = end;
        continue;
      }
      // A group larger than the buffer.
      for (let part = from; part < offsets[group + 1]; part += PIECE) {
        const to = Math.min(part + PIECE, offsets[group + 1]);
        sum += sumOf(group, Int32Array.of(0, to - part), part, to);
      }
      group++;
    }
    for (let from = 0; from < oversize.length; from += PIECE) {
      const piece = oversize.subarray(from, from + PIECE);
      put(abi, at, piece);
      sum += abi.oversizeFingerprint(at, piece.length);
    }
    return sum;
  });
}

/** Fingerprints of samples' loads. O(samples), 2 ns for each load of a sample. */
export function loadFingerprints(abi: Abi, { vit, tokens }: Lengths): ByLoad<Fingerprint> {
  return { vit: text(loadSum(abi, vit, 0)), tokens: text(loadSum(abi, tokens, 0)) };
}

/** The fingerprint of a packing. O(samples), 3 ns each. */
export function packingFingerprint(abi: Abi, packing: Samples): Fingerprint {
  return text(packingSum(abi, packing, 0));
}

/** What a packing was made of, in the order of keys that files have. */
export function packingMade(abi: Abi, packing: Packing): PackingMade {
  const { lengths, settings, indices, oversize } = packing;
  return {
    version: 1,
    samples: lengths?.vit.length ?? indices.length + oversize.length,
    ...(lengths === undefined ? {} : { loads: loadFingerprints(abi, lengths) }),
    ...settings,
    packing: packingFingerprint(abi, packing),
  };
}

function isPacking(part: GroupLoads): part is GroupLoads & Samples {
  return "offsets" in part && "indices" in part && "oversize" in part;
}

/** Something in which groups differ from those that a plan or a state was made of. */
export interface Difference {
  readonly name: string;
  /** As the plan or state has it. */
  readonly made: string;
  readonly own: string;
}

/** A fingerprint, sizes or what stands in their place, for a message. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return show(value).replace(/,/g, " + ");
  return typeof value === "string" && /^[0-9a-f]{16}$/.test(value) ? value : show(value);
}

/** Whether these are the same fingerprint or sizes. */
function isSame(value: unknown, own: Fingerprint | readonly number[] | undefined): boolean {
  if (typeof own !== "object") return value === own && own !== undefined;
  return Array.isArray(value) && value.length === own.length && own.every((size, p) => value[p] === size);
}

/** Groups that a plan or a sampler is over; what they are is computed when it is first asked for. */
export class GroupsIdentity {
  readonly #abi: Abi;
  readonly #parts: readonly GroupLoads[];
  #packing: Fingerprint | undefined;
  #loads: ByLoad<Fingerprint> | undefined;

  constructor(abi: Abi, parts: readonly GroupLoads[]) {
    this.#abi = abi;
    this.#parts = [...parts];
  }

  get #sizes(): number[] {
    return this.#parts.map((part) => part.length);
  }

  /** The sum over all parts, given the number of each one's first group. */
  #sum<T extends GroupLoads>(parts: readonly T[], sumOf: (part: T, first: number) => bigint): Fingerprint {
    let sum = 0n;
    let first = 0;
    for (const part of parts) {
      sum += sumOf(part, first);
      first += part.length;
    }
    return text(sum);
  }

  /** undefined where the samples of the groups are not known. */
  #packingOf(): Fingerprint | undefined {
    const parts = this.#parts;
    if (parts.every(isPacking)) this.#packing ??= this.#sum(parts, (part, first) => packingSum(this.#abi, part, first));
    return this.#packing;
  }

  #loadsOf(): ByLoad<Fingerprint> {
    const of = (load: "vit" | "tokens") =>
      this.#sum(this.#parts, (part, first) => loadSum(this.#abi, part[load], first));
    this.#loads ??= { vit: of("vit"), tokens: of("tokens") };
    return this.#loads;
  }

  /** O(samples in the groups), 3 ns each. */
  get made(): GroupsMade {
    const packing = this.#packingOf();
    return packing === undefined ? { groups: this.#sizes, loads: this.#loadsOf() } : { groups: this.#sizes, packing };
  }

  /** The first thing in which these are not the groups of `made`. */
  differs(made: GroupsMade): Difference | undefined {
    const compare = (name: string, theirs: unknown, own: Fingerprint | readonly number[] | undefined) =>
      isSame(theirs, own) ? undefined : { name, made: shown(theirs), own: shown(own) };
    const sizes = compare("groups", made?.groups, this.#sizes);
    if (sizes !== undefined) return sizes;
    if (made.loads === undefined) return compare("packing", made.packing, this.#packingOf());
    const { vit, tokens } = this.#loadsOf();
    return (
      compare("vit of the groups", made.loads?.vit, vit) ?? compare("tokens of the groups", made.loads?.tokens, tokens)
    );
  }
}
