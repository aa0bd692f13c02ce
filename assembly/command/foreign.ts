// Files of formats that the command does not read, by how they begin: the list of src/read/foreign.ts.

import { ascii } from "../base/ascii";

/** What to do about the file that `foreignFormat` has named last. */
export let advice: usize = 0;

/** How much of a file is looked at. */
const BEGINNING: usize = 64;

/** Whether a byte that no text holds is among the first ones. */
function isBinary(at: usize, end: usize): bool {
  for (; at < end; at++) {
    const c = <u32>load<u8>(at);
    if (c < 9 || (c > 13 && c < 32)) return true;
  }
  return false;
}

/** Whether a value or a line ends among the first ones. */
function isTable(at: usize, end: usize): bool {
  for (; at < end; at++) {
    const c = <u32>load<u8>(at);
    if (c == 0x2c || c == 0x3b || (c >= 9 && c <= 13)) return true;
  }
  return false;
}

function compressed(first: u32, second: u32): usize {
  if ((first & 0xffff) == 0x8b1f) return ascii("gzip");
  if (first == 0xfd2fb528) return ascii("Zstandard");
  if (first == 0x587a37fd) return ascii("xz");
  if ((first & 0xffffff) == 0x685a42 && (first >> 24) - 0x31 < 9 && second == 0x26594131) return ascii("bzip2");
  return first == 0x184d2204 ? ascii("LZ4") : 0;
}

function table(first: u32, second: u32, at: usize, end: usize): usize {
  // What could be text is looked at more closely.
  if (first == 0x31524150 || first == 0x45524150) return isBinary(at, end) || !isTable(at, end) ? ascii("Parquet") : 0;
  if ((first & 0xffffff) == 0x43524f) return isBinary(at, end) ? ascii("ORC") : 0;
  if ((first == 0x4f525241 && second == 0x3157) || first == 0xffffffff) return ascii("Arrow");
  if (first == 0x016a624f) return ascii("Avro");
  if (first == 0x46444889 && second == 0x0a1a0a0d) return ascii("HDF5");
  if (first == 0x694c5153 && second == 0x66206574) return ascii("an SQLite database");
  return (first & 0xff) == 0x80 && ((first >> 8) & 0xff) - 2 < 4 ? ascii("a Python pickle") : 0;
}

/** What a file is that begins with these bytes, where it is nothing that can be read; or 0. */
export function foreignFormat(at: usize, length: usize): usize {
  const end = at + min(length, BEGINNING);
  // Bytes that are not there are such as no format has.
  const first: u32 = length >= 4 ? load<u32>(at) : length >= 2 ? <u32>load<u16>(at) | 0x20200000 : 0;
  const second: u32 = length >= 8 ? load<u32>(at, 4) : 0x20202020;
  let name = compressed(first, second);
  advice = ascii("decompress it first");
  if (name != 0) return name;
  if (first == 0x04034b50 || first == 0x06054b50) {
    advice = ascii("unpack it first");
    return ascii("a zip archive");
  }
  if ((first & 0xffff) == 0xfeff || (first & 0xffff) == 0xfffe) {
    advice = ascii("save it as UTF-8 first");
    return ascii("UTF-16 text");
  }
  name = table(first, second, at, end);
  advice = ascii("convert it to JSON Lines or .npy first");
  return name;
}
