import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { sha256 } from "../samples.ts";

interface Permutation {
  seed: number;
  n: number;
  first10: number[];
  last: number;
  sha256: string;
}

const { prng } = JSON.parse(readFileSync(new URL("../vectors/isf.json", import.meta.url), "utf8")) as {
  prng: { words: Record<string, number[]>; numpy_shuffle: Permutation[]; torch_randperm: Permutation[] };
};
const { abi } = await load();

function permute(shuffle: (at: number, n: number) => void, { seed, n }: Permutation): Int32Array {
  const top = abi.mark();
  const at = abi.alloc(n * 4) >>> 0;
  new Int32Array(abi.memory.buffer, at, n).set(Int32Array.from({ length: n }, (_, i) => i));
  abi.mtSeed(seed);
  shuffle(at, n);
  const out = new Int32Array(abi.memory.buffer, at, n).slice();
  abi.release(top);
  return out;
}

describe("MT19937", () => {
  test.each(Object.entries(prng.words))("words of seed %s", (seed, words) => {
    abi.mtSeed(Number(seed));
    expect(words.map(() => abi.mtNext() >>> 0)).toEqual(words);
  });

  test("the ten thousandth word of seed 5489, as the C++ standard has it", () => {
    abi.mtSeed(5489);
    for (let i = 1; i < 10000; i++) abi.mtNext();
    expect(abi.mtNext() >>> 0).toBe(4123659995);
  });
});

describe.each([
  ["numpy's shuffle", "mtShuffle", prng.numpy_shuffle],
  ["torch.randperm", "mtTorchShuffle", prng.torch_randperm],
] as const)("%s", (_, name, vectors) => {
  test.each(vectors)("seed $seed, n $n", (vector) => {
    const out = permute(abi[name], vector);
    expect(Array.from(out.subarray(0, 10))).toEqual(vector.first10);
    expect(out.at(-1)).toBe(vector.last);
    expect(sha256(out.join(","))).toBe(vector.sha256);
  });
});
