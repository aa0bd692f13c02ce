// What packings were made of, so that whoever reads them can tell whether they fit. docs/formats.md describes all of it.
// Nothing here is computed before something is saved or compared.
import { type Abi, outOfMemory } from "../core/abi.ts";
import { columnsOf, type Lengths, type LoadColumn, sampleCount } from "../core/lengths.ts";
import type { ByLoad, Fingerprint, Packing, PackingSettings } from "./packing.ts";

/** What a packing was made of. */
export interface PackingMade extends PackingSettings {
  /** Version of this record: readers refuse a higher one. */
  readonly version: 1;
  /** Samples there were to pack. */
  readonly samples: number;
  /** Fingerprints of the samples' loads; missing when the packing was made without them at hand. */
  readonly loads?: ByLoad<Fingerprint>;
  /** Fingerprint of the groups, the oversize and the invalid samples. */
  readonly packing: Fingerprint;
}

/** Values per call into the core: a buffer that stays in the second-level cache. */
const PIECE = 16384;

export function fingerprintText(sum: bigint): Fingerprint {
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

/** The sum of a load over samples, or over groups, the first of which has number `first`. */
export function loadSum(abi: Abi, values: LoadColumn, first: number): bigint {
  return withBuffer(abi, values.length, (at) => {
    let sum = 0n;
    for (let from = 0; from < values.length; from += PIECE) {
      const to = Math.min(from + PIECE, values.length);
      if (values instanceof Int32Array) {
        put(abi, at, values.subarray(from, to));
        sum += abi.loadFingerprint(at, to - from, first + from);
      } else {
        new Float64Array(abi.memory.buffer, at, to - from).set(values.subarray(from, to));
        sum += abi.wideFingerprint(at, to - from, first + from);
      }
    }
    return sum;
  });
}

/** Where the samples are. */
export type Samples = Pick<Packing, "offsets" | "indices" | "oversize" | "invalid">;

/** Adds up the groups from number `first` on, and the oversize and invalid samples. */
export function packingSum(abi: Abi, { offsets, indices, oversize, invalid }: Samples, first: number): bigint {
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
    for (const list of [oversize, invalid]) {
      for (let from = 0; from < list.length; from += PIECE) {
        const piece = list.subarray(from, from + PIECE);
        put(abi, at, piece);
        sum += list === oversize ? abi.oversizeFingerprint(at, piece.length) : abi.invalidFingerprint(at, piece.length);
      }
    }
    return sum;
  });
}

/** Fingerprints of samples' loads. O(samples), 2 ns for each load of a sample. */
export function loadFingerprints(abi: Abi, lengths: Lengths): ByLoad<Fingerprint> {
  return Object.fromEntries(
    columnsOf(lengths).map(([name, values]) => [name, fingerprintText(loadSum(abi, values, 0))]),
  );
}

/** The fingerprint of a packing. O(samples), 3 ns each. */
export function packingFingerprint(abi: Abi, packing: Samples): Fingerprint {
  return fingerprintText(packingSum(abi, packing, 0));
}

/** What a packing was made of, in the order of keys that files have. */
export function packingMade(abi: Abi, packing: Packing): PackingMade {
  const { lengths, settings, indices, oversize, invalid } = packing;
  return {
    version: 1,
    samples: (lengths && sampleCount(lengths)) ?? indices.length + oversize.length + invalid.length,
    ...(lengths === undefined ? {} : { loads: loadFingerprints(abi, lengths) }),
    ...settings,
    packing: packingFingerprint(abi, packing),
  };
}
