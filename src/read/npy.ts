import { InputError } from "../core/errors.ts";
import { MAX_INT32 } from "../core/options.ts";
import { Column, type Watch } from "./columns.ts";
import type { InputFile } from "./input.ts";
import { underWatch } from "./open.ts";

const PIECE = 1 << 18;
/** Headers are padded to 64 bytes or so; anything longer is not one. */
const MAX_HEADER = 4096;

/** An .npy array of whole numbers in -2^31 .. 2^31 - 1. */
export interface IndexArray {
  readonly shape: readonly number[];
  /** In C order. */
  readonly values: Int32Array;
}

interface Header {
  /** Bytes before the data. */
  readonly size: number;
  readonly shape: readonly number[];
  /** Bytes per value. */
  readonly width: number;
  readonly signed: boolean;
  readonly little: boolean;
}

/** What the value of each entry may look like. */
const ENTRIES: Readonly<Record<string, RegExp>> = {
  descr: /^(['"].*['"]|\[.*\])$/s,
  fortran_order: /^(True|False)$/,
  shape: /^\( *(\d+ *(, *\d+ *)*,? *)?\)$/,
};

/** The entries of a header: a Python dict with each at most once, and white space after it. undefined: it is none. */
function parseDict(text: string): Map<string, string> | undefined {
  const members = /^ *\{(.*)\}[ \n]*$/s.exec(text)?.[1].trimEnd();
  if (members === undefined) return undefined;
  const entry = / *(['"])(\w+)\1 *: *('[^']*'|"[^"]*"|\([^)]*\)|\[[^\]]*\]|\w+) *(,|$)/y;
  const found = new Map<string, string>();
  while (entry.lastIndex < members.length) {
    const match = entry.exec(members);
    if (match === null) return undefined;
    const [, , name, value] = match;
    if (!Object.hasOwn(ENTRIES, name) || !ENTRIES[name].test(value) || found.has(name)) return undefined;
    found.set(name, value);
  }
  return found;
}

function parseHeader(path: string, bytes: Uint8Array): Header {
  const refuse = (why: string) => new InputError("INVALID_FILE", `${path}: ${why}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.length < 12 || magic.some((c, i) => bytes[i] !== c) || bytes[6] < 1 || bytes[6] > 3) {
    throw refuse("not a .npy file of version 1.0, 2.0 or 3.0");
  }
  const start = bytes[6] === 1 ? 10 : 12;
  const length = bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (start + length > bytes.length) throw refuse("the .npy header does not end");
  const dict = new TextDecoder().decode(bytes.subarray(start, start + length));
  const entries = parseDict(dict);
  if (entries === undefined) throw refuse("the .npy header is not as numpy writes it");
  const find = (name: string) => {
    const text = entries.get(name);
    if (text === undefined) throw refuse(`the .npy header has no ${name}`);
    return text;
  };
  const [type, list, order] = ["descr", "shape", "fortran_order"].map(find);
  const descr = type.replace(/^['"](.*)['"]$/, "$1");
  const kind = /^([<>|=]?)([iu])([1248])$/.exec(descr);
  if (kind === null) throw refuse(`descr is ${descr}, expected whole numbers of 1 to 8 bytes`);
  const shape = list
    .slice(1, -1)
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  if (order === "True" && shape.length > 1) throw refuse("the array is in Fortran order, expected C order");
  return {
    size: start + length,
    shape,
    width: Number(kind[3]),
    signed: kind[2] === "i",
    little: kind[1] !== ">",
  };
}

/** Value i of the data; NaN if it is out of range. */
function reader({ width, signed, little }: Header, data: DataView): (i: number) => number {
  switch (width) {
    case 1:
      return signed ? (i) => data.getInt8(i) : (i) => data.getUint8(i);
    case 2:
      return signed ? (i) => data.getInt16(i * 2, little) : (i) => data.getUint16(i * 2, little);
    case 4:
      return signed ? (i) => data.getInt32(i * 4, little) : (i) => data.getUint32(i * 4, little);
    default: {
      const low = little ? 0 : 4;
      return (i) => {
        const value = data.getInt32(i * 8 + low, little);
        // The upper half repeats the sign, or the value does not fit.
        return data.getInt32(i * 8 + 4 - low, little) === value >> 31 && (signed || value >= 0) ? value : Number.NaN;
      };
    }
  }
}

/** Reads an .npy file of whole numbers, a piece at a time: 4 bytes of memory per value. */
export async function readNpy(file: InputFile, dimensions: number, watch: Watch): Promise<IndexArray> {
  const { path } = file;
  const source = await file.open(underWatch(watch));
  try {
    const header = parseHeader(path, await source.peek(MAX_HEADER));
    const { shape, size, width } = header;
    const count = shape.reduce((product, own) => product * own, 1);
    if (shape.length !== dimensions || count > MAX_INT32) {
      throw new InputError(
        "INVALID_FILE",
        `${path}: shape is (${shape.join(", ")}), expected ${dimensions} dimensions`,
      );
    }
    // Grows with the data: a header may announce more than fits in memory.
    const values = new Column();
    const piece = new Uint8Array(PIECE);
    const valueAt = reader(header, new DataView(piece.buffer));
    // The first piece begins with the header, which no value's bytes need share.
    for (let left = size; left > 0; ) left -= await source.read(piece.subarray(0, left));
    let done = 0;
    let have = 0;
    for (;;) {
      watch.signal?.throwIfAborted();
      const bytes = await source.read(piece.subarray(have));
      const spent = source.spent();
      if (spent > 0) watch.read(spent);
      if (bytes === 0) break;
      have += bytes;
      const whole = Math.floor(have / width);
      if (done + whole > count)
        throw new InputError("INVALID_FILE", `${path}: more than the ${count} values announced`);
      for (let i = 0; i < whole; i++) {
        const value = valueAt(i);
        if (!(value <= MAX_INT32)) {
          throw new InputError("INVALID_FILE", `${path}: value ${done + i} is beyond 32 bits`);
        }
        values.push(value);
      }
      done += whole;
      piece.copyWithin(0, whole * width, have);
      have -= whole * width;
    }
    if (done < count || have > 0) {
      throw new InputError("INVALID_FILE", `${path}: the file ends after ${done} of ${count} values`);
    }
    return { shape, values: values.take() };
  } finally {
    await source.close();
  }
}
