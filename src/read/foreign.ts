// Files of formats that are not read here, recognized by how they begin, before a reader calls them bad JSON or CSV.

/** What to do about a file, by what it is. */
const DECOMPRESS = "decompress it first";
const UNPACK = "unpack it first";
const CONVERT = "convert it to JSON Lines or .npy first";
const RECODE = "save it as UTF-8 first";

interface Foreign {
  readonly name: string;
  readonly advice: string;
  /** How it begins: any of these. */
  readonly magic: readonly (readonly number[])[];
  /** The beginning could be text: then a byte that no text holds must be near it, or (`line`) no separator is. */
  readonly like?: "text" | "line";
}

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

/** A new one is a line here, and one in assembly/command/foreign.ts; a test compares them. */
const FORMATS: readonly Foreign[] = [
  { name: "gzip within gzip", advice: DECOMPRESS, magic: [[0x1f, 0x8b]] },
  { name: "Zstandard", advice: DECOMPRESS, magic: [[0x28, 0xb5, 0x2f, 0xfd]] },
  { name: "xz", advice: DECOMPRESS, magic: [[0xfd, 0x37, 0x7a, 0x58]] },
  {
    name: "bzip2",
    advice: DECOMPRESS,
    magic: [...ascii("123456789")].map((n) => ascii("BZh").concat(n, ascii("1AY&"))),
  },
  { name: "LZ4", advice: DECOMPRESS, magic: [[0x04, 0x22, 0x4d, 0x18]] },
  { name: "a zip archive", advice: UNPACK, magic: [ascii("PK\x03\x04"), ascii("PK\x05\x06")] },
  { name: "Parquet", advice: CONVERT, magic: [ascii("PAR1"), ascii("PARE")], like: "line" },
  { name: "Arrow", advice: CONVERT, magic: [ascii("ARROW1\0\0"), [0xff, 0xff, 0xff, 0xff]] },
  { name: "ORC", advice: CONVERT, magic: [ascii("ORC")], like: "text" },
  { name: "Avro", advice: CONVERT, magic: [ascii("Obj\x01")] },
  { name: "HDF5", advice: CONVERT, magic: [[0x89, ...ascii("HDF\r\n\x1a\n")]] },
  { name: "an SQLite database", advice: CONVERT, magic: [ascii("SQLite f")] },
  { name: "a Python pickle", advice: CONVERT, magic: [2, 3, 4, 5].map((version) => [0x80, version]) },
  {
    name: "UTF-16 text",
    advice: RECODE,
    magic: [
      [0xff, 0xfe],
      [0xfe, 0xff],
    ],
  },
];

/** How much of a file `foreignFormat` looks at. */
export const BEGINNING = 64;

/** Whether a byte is in the text of no file. */
function isBinary(byte: number): boolean {
  return byte < 9 || (byte > 13 && byte < 32);
}

/** Whether a byte ends a value of a table or a line of it. */
function isSeparator(byte: number): boolean {
  return byte === 0x2c || byte === 0x3b || (byte >= 9 && byte <= 13);
}

/** What a file is that begins so, where it is nothing that can be read: `Parquet, which is not supported: ...`. */
export function foreignFormat(bytes: Uint8Array): string | undefined {
  const found = FORMATS.find(
    ({ magic, like }) =>
      magic.some((start) => start.length <= bytes.length && start.every((byte, i) => bytes[i] === byte)) &&
      (like === undefined || bytes.some(isBinary) || (like === "line" && !bytes.some(isSeparator))),
  );
  return found && `${found.name}, which is not supported: ${found.advice}`;
}
