// Inputs that any language can rebuild, from xorshift32: the same here, in the tests and in the reference's vectors.

/** Samples as int32[n] each. */
export interface Samples {
  readonly vit: Int32Array;
  readonly tokens: Int32Array;
}

function xorshift32(x: number): () => number {
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/** vit 0 .. 9 and tokens 20 .. 4500, independent. */
export function uniform(n: number): Samples {
  const next = xorshift32(2463534242);
  const vit = new Int32Array(n);
  const tokens = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    vit[i] = next() % 10;
    tokens[i] = 20 + (next() % 4481);
  }
  return { vit, tokens };
}

/** 1, 3, 4 or 5 tiles, 256 tokens each and a text: close to an instruction-tuning set of 1.2 M samples in shape. */
export function tiled(n: number): Samples {
  const next = xorshift32(88675123);
  const vit = new Int32Array(n);
  const tokens = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const c = next() % 100;
    const a = next() % 300;
    const b = next() % 16;
    vit[i] = c < 55 ? 1 : c < 83 ? 3 : c < 86 ? 4 : 5;
    tokens[i] = 256 * vit[i] + 30 + a * (b === 0 ? 5 : 1);
  }
  return { vit, tokens };
}

/** `uniform:N` or `tiled:N`. */
export function generate(name: string): Samples {
  const [kind, n] = name.split(":");
  if (kind === "uniform") return uniform(Number(n));
  if (kind === "tiled") return tiled(Number(n));
  throw new Error(`${name}: expected uniform:N or tiled:N`);
}
