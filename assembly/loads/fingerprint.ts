// Fingerprints: whether two columns of loads, or two packings, are the same. docs/formats.md has the formula; it is a sum,
// so parts of the data add up, and its factors are below 2^31, so that SQL engines can compute it too.

/** Pairs that are mixed at a time. */
const BLOCK: u32 = 512;
/** u32[BLOCK]: the lower halves of their keys. The upper half is the same for all of them. */
const keys: usize = memory.data(2048, 16);

/** A bijection of 32 bits in which every bit of x decides about every bit. */
export function mix32(x: u32): u32 {
  x ^= x >> 16;
  x *= 0x21f0aaad;
  x ^= x >> 15;
  x *= 0x735a2d97;
  return x ^ (x >> 15);
}

/** The sum of mix(key, value) over n <= BLOCK pairs: keys with this upper half and the lower ones in `keys`, u32[n] values. */
function sumOfBlock(upper: u32, values: usize, n: u32): u64 {
  const h = mix32(mix32(upper ^ 0x9e3779b9));
  const h2 = mix32(h);
  const seeds = i32x4.splat(h);
  const seeds2 = i32x4.splat(h2);
  let high = i64x2.splat(0);
  let low = i64x2.splat(0);
  let at: usize = 0;
  for (const end = (<usize>(n & ~3)) << 2; at < end; at += 16) {
    const key = v128.load(keys + at);
    const value = v128.load(values + at);
    let a = v128.xor(key, seeds);
    let b = v128.xor(value, seeds2);
    // Both halves are mixed twice. Written out: with calls of a function it takes half as long again.
    for (let again = true; ; again = false) {
      a = v128.xor(a, i32x4.shr_u(a, 16));
      b = v128.xor(b, i32x4.shr_u(b, 16));
      a = i32x4.mul(a, i32x4.splat(0x21f0aaad));
      b = i32x4.mul(b, i32x4.splat(0x21f0aaad));
      a = v128.xor(a, i32x4.shr_u(a, 15));
      b = v128.xor(b, i32x4.shr_u(b, 15));
      a = i32x4.mul(a, i32x4.splat(0x735a2d97));
      b = i32x4.mul(b, i32x4.splat(0x735a2d97));
      a = v128.xor(a, i32x4.shr_u(a, 15));
      b = v128.xor(b, i32x4.shr_u(b, 15));
      if (!again) break;
      a = v128.xor(a, value);
      b = v128.xor(b, key);
    }
    high = i64x2.add(high, i64x2.add(i64x2.extend_low_i32x4_u(a), i64x2.extend_high_i32x4_u(a)));
    low = i64x2.add(low, i64x2.add(i64x2.extend_low_i32x4_u(b), i64x2.extend_high_i32x4_u(b)));
  }
  let sumHigh = i64x2.extract_lane(high, 0) + i64x2.extract_lane(high, 1);
  let sumLow = i64x2.extract_lane(low, 0) + i64x2.extract_lane(low, 1);
  for (const end = (<usize>n) << 2; at < end; at += 4) {
    const key = load<u32>(keys + at);
    const value = load<u32>(values + at);
    sumHigh += mix32(mix32(key ^ h) ^ value);
    sumLow += mix32(mix32(value ^ h2) ^ key);
  }
  return (sumHigh << 32) + sumLow;
}

/**
 * The sum of mix(first + k, values[k]) over i32[n]: the loads of the samples from number `first` on, below 2^53. One that is -1
 * is no load, and adds nothing.
 */
export function loadFingerprint(values: usize, n: u32, first: f64): u64 {
  let key = <u64>first;
  let sum: u64 = 0;
  while (n > 0) {
    const count = <u32>min<u64>(min(n, BLOCK), 0x100000000 - (key & 0xffffffff));
    let signs: i32 = 0;
    for (let k: u32 = 0; k < count; k++) {
      store<u32>(keys + ((<usize>k) << 2), <u32>key + k);
      signs |= load<i32>(values + ((<usize>k) << 2));
    }
    if (signs >= 0) sum += sumOfBlock(<u32>(key >> 32), values, count);
    else
      for (let k: u32 = 0; k < count; k++)
        sum += sampleFingerprint(key + k, <f64>load<i32>(values + ((<usize>k) << 2)));
    values += (<usize>count) << 2;
    key += count;
    n -= count;
  }
  return sum;
}

/** The same over f64[n], whole numbers below 2^53, one at a time: few loads are that large. */
export function wideFingerprint(values: usize, n: u32, first: f64): u64 {
  let key = <u64>first;
  let sum: u64 = 0;
  for (const end = values + ((<usize>n) << 3); values < end; values += 8, key++)
    sum += sampleFingerprint(key, load<f64>(values));
  return sum;
}

/** What sample `key` adds to its load's fingerprint: mix(key, load), 0 for a load that is none. */
export function sampleFingerprint(key: u64, load: f64): u64 {
  if (load < 0) return 0;
  const value = <u64>load;
  const h = mix32(mix32(<u32>(key >> 32) ^ 0x9e3779b9) ^ <u32>(value >> 32));
  const high = mix32(mix32(<u32>key ^ h) ^ <u32>value);
  const low = mix32(mix32(<u32>value ^ mix32(h)) ^ <u32>key);
  return ((<u64>high) << 32) + low;
}

/** The sum of mix(first + g, sample) over the samples of each group g of CSR arrays. */
export function groupsFingerprint(offsets: usize, order: usize, groups: i32, first: f64): u64 {
  let key = <u64>first;
  let values = order + ((<usize>load<u32>(offsets)) << 2);
  let n: u32 = 0;
  let sum: u64 = 0;
  for (const end = offsets + ((<usize>groups) << 2); offsets < end; offsets += 4, key++) {
    let left = load<u32>(offsets, 4) - load<u32>(offsets);
    while (left > 0) {
      const count = min(left, BLOCK - n);
      for (let k: u32 = 0; k < count; k++) store<u32>(keys + ((<usize>(n + k)) << 2), <u32>key);
      n += count;
      left -= count;
      if (n < BLOCK) continue;
      sum += sumOfBlock(<u32>(key >> 32), values, n);
      values += (<usize>n) << 2;
      n = 0;
    }
    // The next group begins another upper half, or is none.
    if (n > 0 && (offsets + 4 == end || <u32>key == 0xffffffff)) {
      sum += sumOfBlock(<u32>(key >> 32), values, n);
      values += (<usize>n) << 2;
      n = 0;
    }
  }
  return sum;
}

/** The sum over u32[count] samples of a group whose number is `lower` above 2^64 - 2^32. */
function sumOfList(samples: usize, count: u32, lower: u32): u64 {
  for (let k: usize = 0; k < <usize>BLOCK; k++) store<u32>(keys + (k << 2), lower);
  let sum: u64 = 0;
  for (; count > 0; ) {
    const n = min(count, BLOCK);
    sum += sumOfBlock(u32.MAX_VALUE, samples, n);
    samples += (<usize>n) << 2;
    count -= n;
  }
  return sum;
}

/** What u32[count] oversize samples add to a packing's fingerprint: their group has number 2^64 - 1. */
export function oversizeFingerprint(oversize: usize, count: u32): u64 {
  return sumOfList(oversize, count, u32.MAX_VALUE);
}

/** What invalid samples add: their group has number 2^64 - 2. */
export function invalidFingerprint(invalid: usize, count: u32): u64 {
  return sumOfList(invalid, count, u32.MAX_VALUE - 1);
}
