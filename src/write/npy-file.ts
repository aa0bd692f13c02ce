import type { Pieces } from "./format.ts";

/** Values per piece: 64 KB. */
const PIECE = 8192;

/** The .npy header (version 1.0) of a little-endian int64 array in C order; the data starts at a multiple of 64. */
export function npyHeader(shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '<i8', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = new Uint8Array(10 + length).fill(0x20);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8]);
  header.set(new TextEncoder().encode(text), 10);
  header[header.length - 1] = 0x0a;
  return header;
}

/** An .npy file of int64 from `valueAt(i)`, each a whole number from -2^31 to 2^53 - 1. */
export function* npyInt64(shape: readonly number[], valueAt: (i: number) => number): Pieces {
  yield npyHeader(shape);
  const count = shape.reduce((product, size) => product * size, 1);
  for (let from = 0; from < count; from += PIECE) {
    const piece = new DataView(new ArrayBuffer(Math.min(PIECE, count - from) * 8));
    for (let at = 0, i = from; at < piece.byteLength; at += 8, i++) {
      const value = valueAt(i);
      piece.setInt32(at, value, true);
      piece.setInt32(at + 4, value > 2147483647 ? Math.floor(value / 2 ** 32) : value >> 31, true);
    }
    yield new Uint8Array(piece.buffer);
  }
}

/** An .npy file of int64[values.length]. */
export function npyVector(values: Int32Array): Pieces {
  return npyInt64([values.length], (i) => values[i]);
}
