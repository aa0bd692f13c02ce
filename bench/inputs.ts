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

/** Loads of a sample of the native-resolution set, a column each. */
export interface NativeLoads {
  readonly patches: Float64Array;
  readonly tokens: Float64Array;
  /** Sum over the images of a sample of patches^2, and tokens^2. */
  readonly visionAttention: Float64Array;
  readonly tokenAttention: Float64Array;
  readonly labels: Float64Array;
  readonly audio: Float64Array;
}

/** Python's round: half to even. */
function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest === 0.5) return down + (down % 2);
  return rest < 0.5 ? down : down + 1;
}

/** Patches of an image after Qwen2.5-VL's resize: sides in multiples of 28, 4 to `most` tokens, a token being 28 x 28. */
function patchesOf(height: number, width: number, most: number): number {
  const area = 784;
  let rows = roundHalfEven(height / 28);
  let columns = roundHalfEven(width / 28);
  const scale = (to: number) => Math.sqrt((height * width) / (to * area));
  if (rows * columns > most) {
    rows = Math.max(1, Math.floor(height / scale(most) / 28));
    columns = Math.max(1, Math.floor(width / scale(most) / 28));
  } else if (rows * columns < 4) {
    rows = Math.ceil(height / scale(4) / 28);
    columns = Math.ceil(width / scale(4) / 28);
  }
  return 4 * rows * columns;
}

/**
 * A training set at native resolution: photographs, scanned pages, charts, screens, thumbnails, 0 to 8 images a sample, a
 * text, labels for part of it, sound with some. About 5,300 different values of patches, up to 40,000.
 */
export function native(n: number, seed = 1, most = 1280): NativeLoads {
  const images = xorshift32(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995 || 1);
  const others = xorshift32(Math.imul(seed, 0x85ebca6b) ^ 0x2545f491 || 1);
  for (let i = 0; i < 16; i++) images() + others();
  const u = () => images() / 2 ** 32;
  const v = () => others() / 2 ** 32;
  const normal = () => Math.sqrt(-2 * Math.log(u() + 1e-12)) * Math.cos(2 * Math.PI * u());
  const image = (): number => {
    const kind = u();
    if (kind < 0.4) return u() < 0.7 ? patchesOf(480, 640, most) : patchesOf(640, 480, most);
    if (kind < 0.45) return patchesOf(427, 640, most);
    if (kind < 0.6) {
      const zoom = 0.8 + 0.4 * u();
      return patchesOf(Math.trunc(2200 * zoom), Math.trunc(1700 * zoom), most);
    }
    if (kind < 0.75) {
      const height = Math.trunc(400 + 500 * u());
      return patchesOf(height, Math.trunc(600 + 600 * u()), most);
    }
    if (kind < 0.83) return patchesOf(1920, 1080, most);
    if (kind < 0.9) return patchesOf(336, 336, most);
    const area = 20000 * 400 ** u();
    const ratio = Math.exp(0.4 * normal());
    const side = (x: number) => Math.max(28, Math.trunc(Math.sqrt(x)));
    return patchesOf(side(area * ratio), side(area / ratio), most);
  };
  const column = () => new Float64Array(n);
  const loads = {
    patches: column(),
    tokens: column(),
    visionAttention: column(),
    tokenAttention: column(),
    labels: column(),
    audio: column(),
  };
  for (let i = 0; i < n; i++) {
    const kind = u();
    const count = kind < 0.2 ? 0 : kind < 0.85 ? 1 : kind < 0.95 ? 2 : 3 + Math.trunc(6 * u());
    for (let j = 0; j < count; j++) {
      const patches = image();
      loads.patches[i] += patches;
      loads.visionAttention[i] += patches ** 2;
      loads.tokens[i] += patches / 4 + 2;
    }
    let text = Math.min(8000, Math.round(Math.exp(5.2 + 0.9 * normal())));
    if (count === 0) text = Math.min(15000, 3 * text);
    loads.tokens[i] += text;
    loads.tokenAttention[i] = loads.tokens[i] ** 2;
    loads.labels[i] = Math.max(1, Math.round(text * (0.1 + 0.8 * v())));
    if (v() < 0.3) loads.audio[i] = 100 + Math.floor(2901 * v());
  }
  return loads;
}

/** `uniform:N` or `tiled:N`. */
export function generate(name: string): Samples {
  const [kind, n] = name.split(":");
  if (kind === "uniform") return uniform(Number(n));
  if (kind === "tiled") return tiled(Number(n));
  throw new Error(`${name}: expected uniform:N or tiled:N`);
}
