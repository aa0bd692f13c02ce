import { CoreReader } from "./core.ts";
import { readCsv } from "./csv.ts";
import type { LengthsFormat } from "./format.ts";
import type { Source } from "./peekable.ts";

const coreFormat: LengthsFormat = {
  name: "json",
  files: /\.(json|jsonl|ndjson|npy)(\.gz)?$/i,
  mayBeMeta: true,
  begins: (first) => first === undefined || first === 0x5b || first === 0x7b || first === 0x93,
  async reader(wanted, core) {
    if (core === undefined) {
      const own = await CoreReader.make(wanted);
      return (source, out, watch) => own.read(source, out, watch);
    }
    const reader = new CoreReader(core.abi, wanted);
    // The instance that is given is this reader's alone while it waits for bytes in between.
    return async (source, out, watch) => {
      const top = core.enter();
      try {
        return await reader.read(source, out, watch);
      } finally {
        core.leave(top);
      }
    };
  },
};

const csvFormat: LengthsFormat = {
  name: "csv",
  files: /\.(csv|tsv)(\.gz)?$/i,
  mayBeMeta: false,
  // A header can be anything.
  begins: () => true,
  reader: async (wanted) => (source, out, watch) => readCsv(source, wanted, out, watch),
};

/** What lengths are read from. CSV, which may begin with anything, comes last; a new one is a line before it. */
export const lengthsFormats: readonly LengthsFormat[] = [coreFormat, csvFormat];

/** The format that a file's name says it has. */
export function namedFormat(path: string): LengthsFormat | undefined {
  return lengthsFormats.find(({ files }) => files.test(path));
}

/** The format of a source: by its name, else by how it begins. */
export async function formatOf(source: Source): Promise<LengthsFormat> {
  const named = namedFormat(source.path);
  if (named !== undefined) return named;
  const first = await firstByte(source);
  return lengthsFormats.find((format) => format.begins(first)) ?? csvFormat;
}

/** The first byte that is neither white space nor of a byte order mark. */
export async function firstByte(source: Source): Promise<number | undefined> {
  const bytes = await source.peek(256);
  const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return bytes.subarray(mark).find((c) => c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09);
}
