// Records of JSON: one on a line, or a list of them. They are cut apart here and parsed by the workers.
import { InputError } from "../../core/errors.ts";
import { openFile, openStream, type Source } from "../../read/source.ts";
import { BATCH_BYTES, BATCH_RECORDS, type Counted, LONGEST_RECORD, type RecordFile } from "./batch.ts";

const PIECE = 1 << 20;
const LF = 10;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const TOO_LONG = `longer than ${LONGEST_RECORD >> 20} MiB`;

const isSpace = (byte: number) => byte === 0x20 || byte === LF || byte === 13 || byte === 9;

/** Collects the bytes of records until there are enough for a batch. */
class Collector {
  #bytes = new Uint8Array(BATCH_BYTES * 2);
  #used = 0;
  /** Where the record begins that is being collected. */
  #start = 0;
  #ends: number[] = [];
  #problems: [number, string][] = [];
  #tooLong = false;
  read = 0;

  add(bytes: Uint8Array): void {
    if (this.#tooLong) return;
    if (this.#used - this.#start + bytes.length > LONGEST_RECORD) {
      this.#tooLong = true;
      this.#used = this.#start;
      return;
    }
    if (this.#used + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#used + bytes.length));
      grown.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Whether there is anything but white space in the record. */
  get isBlank(): boolean {
    if (this.#tooLong) return false;
    for (let i = this.#start; i < this.#used; i++) if (!isSpace(this.#bytes[i])) return false;
    return true;
  }

  /** Forgets the record that is being collected. */
  drop(): void {
    this.#used = this.#start;
    this.#tooLong = false;
  }

  end(): void {
    if (this.#tooLong) this.#problems.push([this.#ends.length, TOO_LONG]);
    this.#ends.push(this.#used);
    this.#start = this.#used;
    this.#tooLong = false;
  }

  get isFull(): boolean {
    return this.#ends.length >= BATCH_RECORDS || this.#used >= BATCH_BYTES;
  }

  /** What was collected up to the last record's end; the rest is kept. */
  take(): Counted | undefined {
    const records = this.#ends.length;
    if (records === 0) return undefined;
    const rest = this.#bytes.slice(this.#start, this.#used);
    const counted: Counted = {
      batch: { kind: "json", bytes: this.#bytes.slice(0, this.#start), ends: Uint32Array.from(this.#ends) },
      records,
      problems: this.#problems,
      bytes: this.read,
    };
    if (this.#bytes.length > BATCH_BYTES * 4) this.#bytes = new Uint8Array(Math.max(BATCH_BYTES * 2, rest.length));
    this.#bytes.set(rest);
    this.#used = rest.length;
    this.#start = 0;
    this.#ends = [];
    this.#problems = [];
    this.read = 0;
    return counted;
  }
}

async function* pieces(source: Source): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(PIECE);
  try {
    for (;;) {
      const length = await source.read(piece);
      if (length === 0) return;
      yield piece.subarray(0, length);
    }
  } finally {
    await source.close();
  }
}

const BOM = [0xef, 0xbb, 0xbf];

function withoutMark(bytes: Uint8Array): Uint8Array {
  return BOM.every((byte, i) => bytes[i] === byte) ? bytes.subarray(3) : bytes;
}

/** A record on every line; lines of white space are none. */
async function* lines(source: Source, from: number, to: number): AsyncGenerator<Counted> {
  const collector = new Collector();
  let number = 0;
  let isFirst = true;
  const finish = () => {
    if (collector.isBlank) return collector.drop();
    if (number >= from) collector.end();
    else collector.drop();
    number++;
  };
  for await (const piece of pieces(source)) {
    let bytes = piece;
    collector.read += piece.length;
    if (isFirst) bytes = withoutMark(bytes);
    isFirst = false;
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(LF, at);
      collector.add(bytes.subarray(at, end < 0 ? bytes.length : end));
      if (end < 0) break;
      finish();
      if (number >= to) break;
      if (collector.isFull) {
        const counted = collector.take();
        if (counted !== undefined) yield counted;
      }
      at = end + 1;
    }
    if (number >= to) break;
  }
  if (number < to) finish();
  const last = collector.take();
  if (last !== undefined) yield last;
}

/** A list of records: cut at the commas of the outermost list. */
async function* list(source: Source, from: number, to: number): AsyncGenerator<Counted> {
  const { path } = source;
  const collector = new Collector();
  let number = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let ended = false;
  let position = 0;
  let isFirst = true;
  const refuse = (why: string, at: number): never => {
    throw new InputError("INVALID_FILE", `${path}: record ${number}, byte ${at}: ${why}`);
  };
  const finish = (isLast: boolean, at: number) => {
    if (collector.isBlank) {
      // Nothing between the brackets is an empty list.
      if (isLast && number === 0) return collector.drop();
      refuse("no record between two commas", at);
    }
    if (number >= from) collector.end();
    else collector.drop();
    number++;
  };
  for await (const piece of pieces(source)) {
    const bytes = isFirst ? withoutMark(piece) : piece;
    if (isFirst) position += piece.length - bytes.length;
    isFirst = false;
    collector.read += piece.length;
    let start = 0;
    let at = 0;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
        continue;
      }
      if (byte === QUOTE) inString = true;
      else if (byte === 0x5b || byte === 0x7b) {
        if (ended) refuse("something behind the end of the list", position + at);
        if (++depth === 1) {
          if (byte !== 0x5b) refuse("expected a list of records: [", position + at);
          start = at + 1;
        }
      } else if (byte === 0x5d || byte === 0x7d) {
        if (--depth === 0) {
          collector.add(bytes.subarray(start, at));
          start = at + 1;
          finish(true, position + at);
          ended = true;
        }
        if (depth < 0) refuse("a bracket that closes nothing", position + at);
      } else if (byte === 0x2c && depth === 1) {
        collector.add(bytes.subarray(start, at));
        start = at + 1;
        finish(false, position + at);
        if (collector.isFull) {
          const counted = collector.take();
          if (counted !== undefined) yield counted;
        }
        if (number >= to) break;
      } else if (depth === 0 && !isSpace(byte)) refuse("something outside of the list", position + at);
    }
    if (number >= to) break;
    if (depth > 0) collector.add(bytes.subarray(start, bytes.length));
    position += bytes.length;
  }
  if (number < to && !ended) refuse("the file ends within the list", position);
  const last = collector.take();
  if (last !== undefined) yield last;
}

/** A file of JSON records; `open` gives its bytes from the beginning each time. */
class JsonFile implements RecordFile {
  readonly path: string;
  readonly size: number | undefined;
  readonly #open: () => Promise<Source>;
  readonly #isList: boolean;

  constructor(path: string, size: number | undefined, open: () => Promise<Source>, isList: boolean) {
    this.path = path;
    this.size = size;
    this.#open = open;
    this.#isList = isList;
  }

  async *batches(from: number, to: number): AsyncGenerator<Counted> {
    // A share of a file may come to nothing.
    if (from >= to) return;
    const source = await this.#open();
    yield* this.#isList ? list(source, from, to) : lines(source, from, to);
  }

  async count(): Promise<number> {
    let count = 0;
    for await (const { records } of this.batches(0, Number.POSITIVE_INFINITY)) count += records;
    return count;
  }
}

/** Lines or a list, by the first byte that is not white space. */
export async function jsonFile(
  path: string,
  size: number | undefined,
  open: () => Promise<Source> = () => openFile(path),
): Promise<RecordFile> {
  const source = await open();
  const bytes = withoutMark(await source.peek(4096));
  await source.close();
  const first = bytes.find((byte) => !isSpace(byte));
  return new JsonFile(path, size, open, first === 0x5b);
}

/** Standard input, which can be read once. */
export async function jsonInput(stream: AsyncIterable<Uint8Array>): Promise<RecordFile> {
  const source = await openStream(stream);
  const bytes = withoutMark(await source.peek(4096));
  const first = bytes.find((byte) => !isSpace(byte));
  let used = false;
  const open = async () => {
    if (used) throw new InputError("INVALID_INPUT", "the standard input can be read once only: name files for this");
    used = true;
    return source;
  };
  return new JsonFile("stdin", undefined, open, first === 0x5b);
}
