/** Whole numbers below `end`, 1 .. 2^31, from a seed: the same for ever. */
export type Draw = (end: number) => number;

/** PCG-like: a Weyl sequence through the finaliser of MurmurHash3. Good enough to shuffle with, and quick on every host. */
export function draws(seed: number): Draw {
  let state = seed >>> 0;
  return (end) => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = state ^ (state >>> 16);
    x = Math.imul(x, 0x85ebca6b);
    x ^= x >>> 13;
    x = Math.imul(x, 0xc2b2ae35);
    x ^= x >>> 16;
    return Math.floor(((x >>> 0) / 2 ** 32) * end);
  };
}

/** Shuffles in place (Fisher and Yates), and gives back what it was given. O(length). */
export function shuffle(values: Int32Array, draw: Draw): Int32Array {
  for (let i = values.length - 1; i > 0; i--) {
    const j = draw(i + 1);
    const value = values[i];
    values[i] = values[j];
    values[j] = value;
  }
  return values;
}

/** int32[length]: 0, 1, 2, ... */
export function upTo(length: number): Int32Array {
  const values = new Int32Array(length);
  for (let i = 0; i < length; i++) values[i] = i;
  return values;
}
