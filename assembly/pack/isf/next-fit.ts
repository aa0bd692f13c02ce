// Next-Fit over samples in a given order, split into the groups that are full enough to keep and the rest, for K loads.
//
// Nothing in the loop over samples branches: whether a group ends is a coin toss for the predictor. Each sample is
// written to both outputs, and a group that ends moves on by advancing one of the two cursors.

import { Loads, WORD_32, WORD_64, WORD_128 } from "../../loads/loads";

/** Samples per call of a scan: their gathered words stay in the first-level cache. */
const BLOCK: i32 = 1024;
const gathered: usize = memory.data(1024 * 16, 16);

/** A pass over samples, with what has been kept so far. Three words follow: what keeps a group, the open room, scratch. */
@unmanaged
export class Pass {
  from: usize;
  /** u32[samples]: kept groups first, then the loose samples; u32[loose samples]. */
  order: usize;
  spare: usize;
  /** u32[groups + 1] ends of kept groups, and a word per kept group: what is left of its bounds. */
  ends: usize;
  rooms: usize;
  /** Where the next kept and the next loose group start, how many there are, and how long the open one is. */
  keptSamples: usize;
  keptGroups: usize;
  looseSamples: usize;
  looseGroups: usize;
  openLength: usize;

  @inline
  static of(pass: usize): Pass {
    return changetype<Pass>(pass);
  }

  @inline
  get loads(): Loads {
    return Loads.of(this.from);
  }

  /** u64[lanes] each. A group is kept when slack - (room without guards) keeps a guard. */
  @inline
  slack(): usize {
    return changetype<usize>(this) + offsetof<Pass>();
  }

  @inline
  room(): usize {
    return changetype<usize>(this) + offsetof<Pass>() + 64;
  }

  @inline
  rest(): usize {
    return changetype<usize>(this) + offsetof<Pass>() + 128;
  }

  scan<T extends number>(samples: usize, count: i32): void {
    const shift: usize = alignof<T>();
    const end = samples + ((<usize>count) << 2);
    const words = this.loads.words;
    for (let at = samples, to = gathered; at < end; at += 4, to += sizeof<T>()) {
      store<T>(to, load<T>(words + ((<usize>load<u32>(at)) << shift)));
    }
    // The highest bit of x | -x is 1 for any x but 0: arithmetic, as a comparison may be compiled to a branch.
    const top: T = <T>(sizeof<T>() * 8 - 1);
    const g = load<T>(this.loads.guardsAt());
    const f = load<T>(this.loads.fullAt());
    const s = load<T>(this.slack());
    const kept = this.order;
    // Cursors are addresses and lengths bytes, so that nothing is scaled in the loop.
    let a = kept + (this.keptSamples << 2);
    let b = this.spare + (this.looseSamples << 2);
    let endAt = this.ends + (this.keptGroups << 2);
    let roomAt = this.rooms + (this.keptGroups << shift);
    const firstEnd = endAt;
    const firstLoose = b;
    let drops: usize = 0;
    let length = this.openLength << 2;
    let room = load<T>(this.room());
    for (let at = samples, from = gathered; at < end; at += 4, from += sizeof<T>()) {
      const x = load<u32>(at);
      const rest = room - load<T>(from);
      const over = (rest & g) ^ g;
      const reached = (s - (room ^ g)) & g;
      const ends = <usize>((over | (<T>0 - over)) >> top);
      const keep = ends & <usize>((reached | (<T>0 - reached)) >> top);
      const drop = ends ^ keep;
      store<T>(roomAt, room);
      a += length & -keep;
      b += length & -drop;
      endAt += keep << 2;
      roomAt += keep << shift;
      drops += drop;
      store<u32>(endAt, <u32>((a - kept) >> 2));
      length &= ends - 1;
      room = rest + ((f - room) & -(<T>ends));
      store<u32>(a + length, x);
      store<u32>(b + length, x);
      length += 4;
    }
    this.keptSamples = (a - kept) >> 2;
    this.looseSamples += (b - firstLoose) >> 2;
    this.keptGroups += (endAt - firstEnd) >> 2;
    this.looseGroups += drops;
    this.openLength = length >> 2;
    store<T>(this.room(), room);
  }

  /** `scan` over words of two lanes. */
  scanPairs(samples: usize, count: i32): void {
    const end = samples + ((<usize>count) << 2);
    const words = this.loads.words;
    for (let at = samples, to = gathered; at < end; at += 4, to += 16) {
      v128.store(to, v128.load(words + ((<usize>load<u32>(at)) << 4)));
    }
    const g = v128.load(this.loads.guardsAt());
    const f = v128.load(this.loads.fullAt());
    const s = v128.load(this.slack());
    const kept = this.order;
    let a = kept + (this.keptSamples << 2);
    let b = this.spare + (this.looseSamples << 2);
    let endAt = this.ends + (this.keptGroups << 2);
    let roomAt = this.rooms + (this.keptGroups << 4);
    const firstEnd = endAt;
    const firstLoose = b;
    let drops: usize = 0;
    let length = this.openLength << 2;
    let room = v128.load(this.room());
    for (let at = samples, from = gathered; at < end; at += 4, from += 16) {
      const x = load<u32>(at);
      const rest = i64x2.sub(room, v128.load(from));
      const ends = <usize>v128.any_true(v128.andnot(g, rest));
      const keep = ends & <usize>v128.any_true(v128.and(i64x2.sub(s, v128.xor(room, g)), g));
      const drop = ends ^ keep;
      v128.store(roomAt, room);
      a += length & -keep;
      b += length & -drop;
      endAt += keep << 2;
      roomAt += keep << 4;
      drops += drop;
      store<u32>(endAt, <u32>((a - kept) >> 2));
      length &= ends - 1;
      room = i64x2.add(rest, v128.and(i64x2.sub(f, room), i64x2.splat(-(<i64>ends))));
      store<u32>(a + length, x);
      store<u32>(b + length, x);
      length += 4;
    }
    this.keptSamples = (a - kept) >> 2;
    this.looseSamples += (b - firstLoose) >> 2;
    this.keptGroups += (endAt - firstEnd) >> 2;
    this.looseGroups += drops;
    this.openLength = length >> 2;
    v128.store(this.room(), room);
  }

  /** `scan` over words of any number of lanes, with branches: such bounds are rare. */
  scanLanes(samples: usize, count: i32): void {
    const loads = this.loads;
    const bytes = <usize>loads.bytes;
    const end = samples + ((<usize>count) << 2);
    for (let at = samples; at < end; at += 4) {
      const x = load<u32>(at);
      const word = loads.words + <usize>x * bytes;
      let over = false;
      for (let i: usize = 0; i < bytes; i += 16) {
        const rest = i64x2.sub(v128.load(this.room() + i), v128.load(word + i));
        v128.store(this.rest() + i, rest);
        over = over || v128.any_true(v128.andnot(v128.load(loads.guardsAt() + i), rest));
      }
      if (over) {
        this.closeGroup();
        for (let i: usize = 0; i < bytes; i += 16) {
          v128.store(this.rest() + i, i64x2.sub(v128.load(loads.fullAt() + i), v128.load(word + i)));
        }
      }
      memory.copy(this.room(), this.rest(), bytes);
      store<u32>(this.order + ((this.keptSamples + this.openLength) << 2), x);
      store<u32>(this.spare + ((this.looseSamples + this.openLength) << 2), x);
      this.openLength++;
    }
  }

  /** Whether the open group has reached a minimum. */
  private reached(): bool {
    const bytes = this.loads.lanes << 3;
    for (let i: usize = 0; i < <usize>bytes; i += 8) {
      const g = load<u64>(this.loads.guardsAt() + i);
      if ((load<u64>(this.slack() + i) - (load<u64>(this.room() + i) ^ g)) & g) return true;
    }
    return false;
  }

  /** Closes the open group: where the samples stand it is already in either output. */
  private closeGroup(): void {
    if (this.openLength == 0) return;
    if (this.reached()) {
      const bytes = <usize>this.loads.bytes;
      memory.copy(this.rooms + this.keptGroups * bytes, this.room(), bytes);
      this.keptSamples += this.openLength;
      store<u32>(this.ends + (++this.keptGroups << 2), <u32>this.keptSamples);
    } else {
      this.looseSamples += this.openLength;
      this.looseGroups++;
    }
    this.openLength = 0;
  }

  /**
   * One pass over the n samples that follow the kept ones: groups that reach a minimum join the kept ones, where they
   * stand, the samples of the others follow, in order, by way of `spare`. O(n).
   */
  run(n: i32): void {
    const at = changetype<usize>(this);
    const first = this.order + (this.keptSamples << 2);
    const layout = this.loads.layout;
    this.looseSamples = 0;
    this.looseGroups = 0;
    this.openLength = 0;
    memory.copy(this.room(), this.loads.fullAt(), 64);
    for (let from = 0; from < n; from += BLOCK) {
      const count = min(n - from, BLOCK);
      const samples = first + ((<usize>from) << 2);
      // A kept group never reaches beyond the samples read so far, so it can be written over them.
      if (layout == WORD_32) scan32(at, samples, count);
      else if (layout == WORD_64) scan64(at, samples, count);
      else if (layout == WORD_128) scan128(at, samples, count);
      else this.scanLanes(samples, count);
    }
    this.closeGroup();
    memory.copy(this.order + (this.keptSamples << 2), this.spare, this.looseSamples << 2);
  }
}

/** Bytes that a `Pass` takes. */
export const PASS_BYTES: i32 = <i32>offsetof<Pass>() + 192;

/** The scans, exported so that they stay functions of their own that engines compile well after a few calls. */
export function scan32(pass: usize, samples: usize, count: i32): void {
  Pass.of(pass).scan<u32>(samples, count);
}

export function scan64(pass: usize, samples: usize, count: i32): void {
  Pass.of(pass).scan<u64>(samples, count);
}

export function scan128(pass: usize, samples: usize, count: i32): void {
  Pass.of(pass).scanPairs(samples, count);
}
