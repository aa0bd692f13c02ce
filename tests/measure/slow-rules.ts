// The rules of the families once more, as slow and as plain as can be: by counting up, by listing all choices, by
// sorting. They share nothing with src/ and know the released models' parameters only.

export type Loads = readonly [vit: number, tokens: number];
type Slow = (h: number, w: number) => Loads | null;

/** The largest k with k <= x. */
function floor(x: number): number {
  let k = 0;
  for (let step = 2 ** 40; step >= 1; step /= 2) if (k + step <= x) k += step;
  return k;
}

/** The smallest k with k >= x. */
function ceil(x: number): number {
  const k = floor(x);
  return k === x ? k : k + 1;
}

/** The nearest whole number; of two, the even one. */
function round(x: number): number {
  const below = floor(x);
  const [down, up] = [x - below, below + 1 - x];
  if (down < up) return below;
  if (up < down) return below + 1;
  return below / 2 === floor(below / 2) ? below : below + 1;
}

const count = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
const f32 = (x: number) => new Float32Array([x])[0];

/** The first of the choices that no other beats. */
function best<T>(choices: readonly T[], beats: (a: T, b: T) => boolean): T {
  return choices.find((a) => !choices.some((b) => beats(b, a)))!;
}

function internvl(most: number): Slow {
  return (h, w) => {
    const grids = count(1, most)
      .flatMap((c) => count(1, most).map((r) => ({ c, r, off: Math.abs(w / h - c / r) })))
      .filter(({ c, r }) => c * r <= most);
    const least = Math.min(...grids.map(({ off }) => off));
    const nearest = grids.filter(({ off }) => off === least).sort((a, b) => a.c * a.r - b.c * b.r);
    // The first is taken; each further one only if the picture has more than half its pixels.
    let tiles = nearest[0].c * nearest[0].r;
    for (const { c, r } of nearest.slice(1)) if (w * h * 2 > 448 * 448 * c * r) tiles = c * r;
    if (tiles > 1) tiles += 1;
    return [tiles, 256 * tiles + 2];
  };
}

function area2d(factor: number, patch: number, least: number, most: number): Slow {
  return (h, w) => {
    if (Math.max(h, w) > 200 * Math.min(h, w)) return null;
    let [rows, columns] = [round(h / factor), round(w / factor)];
    const pixels = rows * columns * factor * factor;
    if (pixels > most) {
      const b = Math.sqrt((h * w) / most);
      [rows, columns] = [h, w].map((side) => Math.max(1, floor(side / b / factor))) as [number, number];
    } else if (pixels < least) {
      const b = Math.sqrt(least / (h * w));
      [rows, columns] = [h, w].map((side) => ceil((side * b) / factor)) as [number, number];
    }
    const of = factor / patch;
    return [rows * columns * of * of, rows * columns];
  };
}

/** `t` frames of GLM and of Qwen3's videos. */
export function area3d(t: number, factor: number, patch: number, least: number, most: number): Slow {
  return (height, width) => {
    let [h, w] = [height, width];
    if (t < 2) return null;
    if (h < factor || w < factor) {
      const scale = Math.max(factor / h, factor / w);
      [h, w] = [floor(h * scale), floor(w * scale)];
    }
    if (Math.max(h, w) / Math.min(h, w) > 200) return null;
    let [rows, columns] = [round(h / factor), round(w / factor)];
    const pixels = 2 * round(t / 2) * rows * factor * columns * factor;
    if (pixels > most) {
      const b = Math.sqrt((t * h * w) / most);
      [rows, columns] = [h, w].map((side) => Math.max(1, floor(side / b / factor))) as [number, number];
    } else if (pixels < least) {
      const b = Math.sqrt(least / (t * h * w));
      [rows, columns] = [h, w].map((side) => ceil((side * b) / factor)) as [number, number];
    }
    const of = (factor / patch) ** 2;
    const steps = ceil(t / 2);
    return [steps * rows * columns * of, steps * rows * columns];
  };
}

const kimivl: Slow = (height, width) => {
  let [h, w] = [height, width];
  const all = floor(w / 14) * floor(h / 14);
  if (all > 4096) {
    const s = Math.sqrt(4096 / all);
    [w, h] = [floor(w * s), floor(h * s)];
  }
  while (w % 28 !== 0) w++;
  while (h % 28 !== 0) h++;
  if (w / 14 >= 512 || h / 14 >= 512) return null;
  return [(h / 14) * (w / 14), (h / 28) * (w / 28)];
};

const kimik25: Slow = (height, width) => {
  const all = Math.max(1, floor(height / 14)) * Math.max(1, floor(width / 14));
  const s = [1, Math.sqrt(16384 / all), 7168 / height, 7168 / width].sort((a, b) => a - b)[0];
  let [h, w] = [height, width].map((side) => Math.min(7168, Math.max(1, floor(side * s))));
  while (h % 28 !== 0) h++;
  while (w % 28 !== 0) w++;
  return [(h / 14) * (w / 14), (h / 28) * (w / 28)];
};

/** With pan and scan. */
const gemma3: Slow = (h, w) => {
  const [long, short] = [Math.max(h, w), Math.min(h, w)];
  let views = 1;
  if (long / short >= 1.2) {
    let crops = 2;
    for (const k of [3, 4]) if (k * 256 <= long && k <= long / short + 0.5) crops = k;
    if (Math.min(ceil(long / crops), short) >= 256) views += crops;
  }
  return [views, 256 * views];
};

const gemma4: Slow = (h, w) => {
  const f = Math.sqrt((280 * 9 * 256) / (h * w));
  let [rows, columns] = [floor((f * h) / 48), floor((f * w) / 48)];
  if (rows === 0 && columns === 0) return null;
  if (rows === 0) [rows, columns] = [1, Math.min(floor(w / h), 280)];
  if (columns === 0) [rows, columns] = [Math.min(floor(h / w), 280), 1];
  return rows * columns > 280 ? null : [rows * columns * 9, rows * columns];
};

type Pair = readonly [number, number];

/** The pair of sides that keeps most of a picture, wastes least of itself, and comes first. */
function fitting(h: number, w: number, choices: readonly Pair[]): Pair {
  const rated = choices.map((sides, i) => {
    const s = Math.min(sides[1] / w, sides[0] / h);
    const kept = Math.min(floor(w * s) * floor(h * s), w * h);
    return { sides, i, kept, waste: sides[0] * sides[1] - kept };
  });
  return best(
    rated,
    (a, b) => a.kept > b.kept || (a.kept === b.kept && (a.waste < b.waste || (a.waste === b.waste && a.i < b.i))),
  ).sides;
}

/** Sides of the features when the padding is cut off by ones from both ends. */
function cut(h: number, w: number, rows: number, columns: number): [number, number] {
  const wide = w / h > columns / rows;
  const size = wide ? h * (columns / w) : w * (rows / h);
  const real = floor(Math.round(size * 1e7) / 1e7);
  let side = wide ? rows : columns;
  while (side - 2 >= real) side -= 2;
  return wide ? [side, columns] : [rows, side];
}

const llavaNext: Slow = (h, w) => {
  const [a, b] = fitting(h, w, [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]); // biome-ignore format: a row
  const [rows, columns] = cut(h, w, (24 * a) / 336, (24 * b) / 336);
  return [1 + (a / 336) * (b / 336), rows * columns + rows + 576];
};

const onevision: Slow = (h, w) => {
  const choices = count(1, 6).flatMap((i) => count(1, 6).map((j): Pair => [384 * i, 384 * j]));
  const [a, b] = fitting(h, w, choices);
  let [rows, columns] = cut(h, w, (27 * a) / 384, (27 * b) / 384);
  const q = Math.sqrt((rows * columns) / (9 * 729));
  if (q > 1.1) {
    // Python's a // b of floats: the quotient without the remainder, rounded.
    [rows, columns] = [rows, columns].map((side) => round((side - (side % q)) / q)) as [number, number];
  }
  return [1 + (a / 384) * (b / 384), rows * columns + rows + 729];
};

function idefics(longest: number, tile: number, seq: number): Slow {
  return (h, w) => {
    let other = w >= h ? floor(longest / (w / h)) : floor(longest * (w / h));
    if (other % 2 === 1) other += 1;
    if (other < 1) other = 1;
    const [a, b] = [ceil(longest / tile), ceil(other / tile)];
    const [rows, columns] = w >= h ? [b, a] : [a, b];
    if (longest <= tile && other <= tile) return [1, seq + 3];
    let tokens = 0;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) tokens += seq + 2;
      tokens += 1;
    }
    return [rows * columns + 1, tokens + seq + 3];
  };
}

function pixtral(longest: number, patch: number, merge: number): Slow {
  return (height, width) => {
    let [h, w] = [height, width];
    const q = Math.max(h / longest, w / longest);
    if (q > 1) [h, w] = [floor(h / q), floor(w / q)];
    if (h === 0 || w === 0) return null;
    const [a, b] = [ceil(h / (patch * merge)), ceil(w / (patch * merge))];
    return [a * b * merge * merge, a * b + a];
  };
}

const llama4: Slow = (h, w) => {
  const rated = count(1, 16)
    .flatMap((a) => count(1, 16).map((b) => ({ a, b })))
    .filter(({ a, b }) => a * b <= 16)
    .map(({ a, b }) => ({ a, b, s: Math.min(f32(f32(336 * a) / f32(h)), f32(f32(336 * b) / f32(w))) }));
  const grows = rated.filter(({ s }) => s >= 1);
  const scale = grows.length > 0 ? Math.min(...grows.map(({ s }) => s)) : Math.max(...rated.map(({ s }) => s));
  const { a, b } = best(
    rated.filter(({ s }) => s === scale),
    (x, y) => x.a * x.b < y.a * y.b,
  );
  if (a * b === 1) return [1, 147];
  return [a * b + 1, 144 * (a * b + 1) + a * (b - 1) + a + 3];
};

const molmo2: Slow = (h, w) => {
  const rated = count(1, 8)
    .flatMap((a) => count(1, 8).map((b) => ({ a, b })))
    .filter(({ a, b }) => a * b <= 8)
    .sort((x, y) => x.a * x.b - y.a * y.b || x.a - y.a)
    .map(({ a, b }, i) => ({
      a,
      b,
      i,
      s: Math.min(f32(f32(266 * a) / f32(h - 112)), f32(f32(266 * b) / f32(w - 112))),
    }));
  const pool = rated.some(({ s }) => s >= 1) ? rated.map((x) => ({ ...x, s: x.s < 1 ? -10e9 : -x.s })) : rated;
  const { a, b } = best(pool, (x, y) => x.s > y.s || (x.s === y.s && x.i < y.i));
  const [rows, columns] = [ceil((19 * a + 8) / 2), ceil((19 * b + 8) / 2)];
  return [a * b + 1, 14 * 15 + 2 + rows * (columns + 1) + 2];
};

const deepseek: Slow = (h, w) => {
  const tiles = "1 1,1 2,2 1,1 3,3 1,1 4,4 1,2 2,1 5,5 1,1 6,6 1,2 3,3 2,1 7,7 1,1 8,8 1,2 4,4 2,1 9,9 1,3 3";
  const choices = tiles.split(",").map((pair) => pair.split(" ").map((side) => 384 * Number(side)) as [number, number]);
  const [a, b] = fitting(w, h, choices);
  const [across, down] = [a / 384, b / 384];
  return [1 + across * down, 14 * 15 + 1 + down * 14 * (across * 14 + 1)];
};

/** By family: the parameters, and the rule with them. */
export const slowRules: Readonly<Record<string, readonly (readonly [Record<string, unknown>, Slow])[]>> = {
  internvl: [1, 6, 12, 24].map((most) => [
    { image_size: 448, max_patches: most, image_seq_length: 256 },
    most === 1 ? () => [1, 258] : internvl(most),
  ]),
  "qwen2-vl": [
    [{ min_pixels: 3136, max_pixels: 12845056 }, area2d(28, 14, 3136, 12845056)],
    [{ min_pixels: 200704, max_pixels: 1003520 }, area2d(28, 14, 200704, 1003520)],
  ],
  "qwen3-vl": [[{ min_pixels: 65536, max_pixels: 1310720 }, area2d(32, 16, 65536, 1310720)]],
  "glm-4.1v": [[{ shortest_edge: 12544, longest_edge: 9633792 }, area3d(2, 28, 14, 12544, 9633792)]],
  "glm-4.6v": [[{ shortest_edge: 12544, longest_edge: 1000000 }, area3d(2, 28, 14, 12544, 1000000)]],
  "kimi-vl": [[{}, kimivl]],
  "kimi-k2.5": [[{}, kimik25]],
  gemma3: [
    [{}, () => [1, 256]],
    [{ do_pan_and_scan: true }, gemma3],
  ],
  gemma4: [[{}, gemma4]],
  paligemma: [[{ image_size: 448 }, () => [1, 1024]]],
  llava: [[{}, () => [1, 576]]],
  "llava-next": [[{}, llavaNext]],
  "llava-onevision": [[{}, onevision]],
  idefics3: [[{}, idefics(1456, 364, 169)]],
  smolvlm: [[{ longest_edge: 2048, max_image_size: 512, image_seq_len: 64 }, idefics(2048, 512, 64)]],
  pixtral: [[{}, pixtral(1024, 16, 1)]],
  mistral3: [[{}, pixtral(1540, 14, 2)]],
  llama4: [[{}, llama4]],
  molmo2: [[{}, molmo2]],
  "deepseek-vl2": [[{}, deepseek]],
};
