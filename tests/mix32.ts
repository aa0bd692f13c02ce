// The mixing of 32 bits that docs/formats.md gives, word by word: what fingerprints and shards are checked by.
export const M32 = 0xffffffffn;

export function mix32(x: bigint): bigint {
  x ^= x >> 16n;
  x = (x * 0x21f0aaadn) & M32;
  x ^= x >> 15n;
  x = (x * 0x735a2d97n) & M32;
  return x ^ (x >> 15n);
}
