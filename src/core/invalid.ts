// Samples that are -1 in every load, as `omnibal measure` writes those it could not measure. They keep their numbers, are in
// no group, and everything that counts or packs samples leaves them out by these functions.
import { columnsOf, invalidLength, type Lengths, type LoadColumn } from "./lengths.ts";

/** Lengths without the samples that are invalid. */
export interface ValidLengths {
  readonly lengths: Lengths;
  /** int32[samples that are left]: their numbers in the input; undefined where none is left out. */
  readonly numbers: Int32Array | undefined;
  /** int32: the samples that are left out, ascending. */
  readonly invalid: Int32Array;
}

const NONE = new Int32Array(0);

/** The samples that are invalid, ascending. O(samples), .3 ns each where there are none. */
export function invalidSamples(lengths: Lengths): Int32Array {
  const [first, ...others] = columnsOf(lengths).map(([, values]) => values);
  const found: number[] = [];
  for (let i = first?.indexOf(-1) ?? -1; i !== -1; i = first.indexOf(-1, i + 1)) {
    if (others.every((values) => values[i] === -1)) found.push(i);
  }
  return found.length === 0 ? NONE : Int32Array.from(found);
}

/** What is left of the samples; the lengths themselves where none is invalid. */
export function validLengths(lengths: Lengths): ValidLengths {
  const invalid = invalidSamples(lengths);
  if (invalid.length === 0) return { lengths, numbers: undefined, invalid };
  const columns = columnsOf(lengths);
  const numbers = new Int32Array(columns[0][1].length - invalid.length);
  let next = 0;
  for (let i = 0, k = 0; i < columns[0][1].length; i++) {
    if (i === invalid[k]) k++;
    else numbers[next++] = i;
  }
  const kept = columns.map(([name, values]): [string, LoadColumn] => {
    const own = values instanceof Int32Array ? new Int32Array(numbers.length) : new Float64Array(numbers.length);
    for (let k = 0; k < own.length; k++) {
      own[k] = values[numbers[k]];
      // Whoever finds it later would know it by another number.
      if (own[k] < 0) throw invalidLength(name, numbers[k], own[k]);
    }
    return [name, own];
  });
  return { lengths: Object.fromEntries(kept), numbers, invalid };
}

/** The same lengths with 0 in the place of what invalid samples have, for sums that they are in none of. O(samples) */
export function zeroInvalid(lengths: Lengths): Lengths {
  const invalid = invalidSamples(lengths);
  if (invalid.length === 0) return lengths;
  return Object.fromEntries(
    columnsOf(lengths).map(([name, values]) => {
      const own = values.slice();
      for (const sample of invalid) own[sample] = 0;
      return [name, own];
    }),
  );
}

/** The same samples by their numbers in the input. */
export function numbered(samples: Int32Array, numbers: Int32Array | undefined): Int32Array {
  return numbers === undefined ? samples : samples.map((sample) => numbers[sample]);
}
