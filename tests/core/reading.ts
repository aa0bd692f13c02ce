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

function begin(core: Abi, names: readonly [string, string], room: number): number {
  const [vit, tokens] = names.map(bytesOf);
  const at = core.alloc(vit.length + tokens.length) >>> 0;
  const into = new Uint8Array(core.memory.buffer, at, vit.length + tokens.length);
  into.set(vit);
  into.set(tokens, vit.length);
  return core.readerBegin(at, vit.length, at + vit.length, tokens.length, room);
}

/** Reads `bytes` cut at the places `cuts`. */
export function read(
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  names: readonly [string, string] = ["vit_num", "token_num"],
): Answer {
  const top = abi.mark();
  const vit: number[] = [];
  const tokens: number[] = [];
  let status = begin(abi, names, Math.max(bytes.length, 1));
  if (status === 0) {
    const at = abi.readerBuffer() >>> 0;
    const ends = [...cuts, bytes.length];
    let from = 0;
    for (const end of ends) {
      // What lies behind a piece must not matter.
      new Uint8Array(abi.memory.buffer, at, bytes.length + 16).fill(0x31);
      new Uint8Array(abi.memory.buffer, at, bytes.length).set(bytes.subarray(from, end));
      status = abi.readerPush(end - from);
      vit.push(...new Int32Array(abi.memory.buffer, abi.readerVit() >>> 0, abi.readerVitCount()));
      tokens.push(...new Int32Array(abi.memory.buffer, abi.readerTokens() >>> 0, abi.readerTokensCount()));
      if (status !== 0) break;
      from = end;
    }
    if (status === 0) status = abi.readerEnd();
  }
  const answer = { status, vit, tokens };
  const failure = {
    offset: abi.readerOffset(),
    index: abi.readerIndex(),
    field: abi.readerField(),
    expected: abi.readerExpected(),
    seen: new TextDecoder().decode(
      new Uint8Array(abi.memory.buffer, abi.readerSeen() >>> 0, abi.readerSeenLength()).slice(),
    ),
  };
  abi.release(top);
  return status < 5 ? answer : { ...answer, ...failure };
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
