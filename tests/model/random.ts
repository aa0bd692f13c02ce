// Random problems, of a seed: ones that fit and ones that do not, with ties, with zeros, with one heavy layer.
import type { CoreLayer, CoreProblem } from "../../src/model/core.ts";

/** Mulberry32: whole numbers from low to high. */
export function randomNumbers(seed: number): (low: number, high: number) => number {
  let state = seed >>> 0;
  return (low, high) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return low + Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * (high - low + 1));
  };
}

export function randomLayers(n: number, family: number, int: (low: number, high: number) => number): CoreLayer[] {
  const transfer = int(0, 4) === 0 ? 0 : int(1, 30);
  const shared = { forward: int(1, 30), backward: int(1, 60), kept: int(5, 60), parameters: int(1, 30) };
  return Array.from({ length: n }, (_, l) => {
    // Of two kinds of layers, as a ViT and a language model are; alike; with zeros; all unlike, in large units.
    const isFirst = l < n / 3;
    const scale = family === 3 ? 1_000_003 : 1;
    const kept = family === 0 ? (isFirst ? 40 : shared.kept) : family === 1 ? shared.kept : int(0, 60);
    const heavy = int(0, n) === 0 ? 8 : 1;
    return {
      forward:
        scale *
        heavy *
        (family === 0 ? (isFirst ? 9 : shared.forward) : family === 1 ? shared.forward : int(family === 2 ? 0 : 1, 40)),
      backward: scale * heavy * (family < 2 ? shared.backward : int(0, 80)),
      kept: scale * kept,
      recomputed: scale * int(0, Math.min(kept, int(0, 3) === 0 ? kept : 6)),
      parameters: scale * (family < 2 ? shared.parameters : int(0, 40)),
      transfer: scale * (family < 2 ? transfer : int(0, 20)),
    };
  });
}

export function randomProblem(seed: number, most: number): CoreProblem {
  const int = randomNumbers(seed);
  const n = int(1, most);
  const stages = int(1, Math.min(4, n));
  const microBatches = [1, 2, 3, 4, 6, 8][int(0, 5)];
  const layers = randomLayers(n, int(0, 3), int);
  const schedule = int(0, 4) === 0 ? "gpipe" : "1f1b";
  const inFlight = schedule === "gpipe" ? microBatches : Math.min(stages, microBatches);
  const all = layers.reduce((sum, l) => sum + l.parameters + inFlight * l.kept, 0);
  // From far too little to more than enough, most of it where the choice is hard.
  const memory = Math.floor((all / stages) * (0.2 + int(0, 100) / 70));
  const room = n - stages;
  const firstLeast = int(0, 2) === 0 ? 1 + int(0, room) : 1;
  const lastLeast = stages > 1 && int(0, 2) === 0 ? 1 + int(0, room - firstLeast + 1) : 1;
  return { layers, stages, microBatches, memory, schedule, firstLeast, lastLeast };
}
