// Feeds bytes to the core's reader in given pieces and tells all that it answers.
import { type Abi, load } from "../../src/index.ts";

export const { abi } = await load();

export interface Answer {
  readonly status: number;
  readonly vit: number[];
  readonly tokens: number[];
  /** Only after an error. */
  readonly offset?: number;
  readonly index?: number;
  readonly field?: number;
  readonly expected?: number;
  readonly seen?: string;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** What tests pass to readerBegin: names, their lengths, the column of each (by default its own), and how many. */
export function putNames(
  core: Abi,
  names: readonly string[],
  columns: readonly number[] = names.map((_, k) => k),
): readonly [names: number, lengths: number, columns: number, count: number] {
  const bytes = names.map(bytesOf);
  const total = bytes.reduce((sum, { length }) => sum + length, 0);
  const lengths = core.alloc(names.length * 4) >>> 0;
  const columnsAt = core.alloc(names.length * 4) >>> 0;
  const at = core.alloc(total) >>> 0;
  new Uint32Array(core.memory.buffer, columnsAt, names.length).set(columns);
  new Uint32Array(core.memory.buffer, lengths, names.length).set(bytes.map(({ length }) => length));
  const into = new Uint8Array(core.memory.buffer, at, total);
  let end = 0;
  for (const name of bytes) {
    into.set(name, end);
    end += name.length;
  }
  return [at, lengths, columnsAt, names.length];
}

export interface How {
  /** The column of each name. Default: its own. */
  readonly columnsOf?: readonly number[];
  /** Whether a column that a record lacks is 0. */
  readonly zeros?: boolean;
  /** The name that each column of a .npy is by, 255 for one that is skipped. */
  readonly table?: readonly number[];
}

/** Reads `bytes` cut at the places `cuts`; `columns` has the values of each column. */
export function readColumns(
  bytes: Uint8Array,
  cuts: readonly number[],
  names: readonly string[],
  { columnsOf = names.map((_, k) => k), zeros = false, table }: How = {},
): Omit<Answer, "vit" | "tokens"> & { readonly columns: number[][] } {
  const top = abi.mark();
  const columns = Array.from(new Set(columnsOf), (): number[] => []);
  const room = Math.max(bytes.length, 1);
  const reader = abi.readerBegin(...putNames(abi, names, columnsOf), room, zeros ? 1 : 0);
  if (table !== undefined) {
    const at = abi.alloc(table.length) >>> 0;
    new Uint8Array(abi.memory.buffer, at, table.length).set(table);
    const refused = abi.readerTable(reader, at, table.length);
    if (refused !== 0) {
      abi.release(top);
      return { status: refused, columns };
    }
  }
  let status = reader < 0 && reader > -64 ? -reader : 0;
  if (status !== 0) {
    abi.release(top);
    return { status, columns };
  }
  {
    const at = abi.readerBuffer(reader) >>> 0;
    const ends = [...cuts, bytes.length];
    let from = 0;
    for (const end of ends) {
      // What follows a piece must not matter.
      new Uint8Array(abi.memory.buffer, at, bytes.length + 16).fill(0x31);
      new Uint8Array(abi.memory.buffer, at, bytes.length).set(bytes.subarray(from, end));
      status = abi.readerPush(reader, end - from);
      const starts = columns.map((column) => column.length);
      for (const [k, column] of columns.entries()) {
        column.push(
          ...new Int32Array(abi.memory.buffer, abi.readerColumn(reader, k) >>> 0, abi.readerCount(reader, k)),
        );
      }
      const wide = abi.readerWideCount(reader);
      const upper = new Uint32Array(abi.memory.buffer, abi.readerWide(reader) >>> 0, wide * 2);
      for (let i = 0; i < wide * 2; i += 2) {
        const column = columns[upper[i] >>> 29];
        const place = starts[upper[i] >>> 29] + (upper[i] & 0x1fffffff);
        column[place] = upper[i + 1] * 2 ** 32 + (column[place] >>> 0);
      }
      if (status !== 0) break;
      from = end;
    }
    if (status === 0) status = abi.readerEnd(reader);
  }
  const answer = { status, columns };
  const failure = {
    offset: abi.readerOffset(reader),
    index: abi.readerIndex(reader),
    field: abi.readerField(reader),
    expected: abi.readerExpected(reader),
    seen: new TextDecoder().decode(
      new Uint8Array(abi.memory.buffer, abi.readerSeen(reader) >>> 0, abi.readerSeenLength(reader)).slice(),
    ),
  };
  abi.release(top);
  return status < 5 ? answer : { ...answer, ...failure };
}

/** `readColumns` of the usual two. */
export function read(
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  names: readonly [string, string] = ["vit_num", "token_num"],
): Answer {
  const { columns, ...rest } = readColumns(bytes, cuts, names);
  return { ...rest, vit: columns[0], tokens: columns[1] };
}

/** `read` at every single cut and byte by byte: all must answer the same. */
export function readEveryWay(bytes: Uint8Array, names?: readonly [string, string]): Answer {
  const whole = read(bytes, [], names);
  const text = JSON.stringify(whole);
  const ways = [Array.from(bytes, (_, i) => i), ...Array.from(bytes, (_, i) => [i])];
  for (const cuts of ways) {
    const other = JSON.stringify(read(bytes, cuts, names));
    if (other !== text)
      throw new Error(`cut at ${cuts.length > 1 ? "every byte" : cuts}: ${other}, in one piece: ${text}`);
  }
  return whole;
}
