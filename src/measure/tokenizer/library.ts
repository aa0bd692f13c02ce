// Tokenizer libraries: for what is not counted by tables, and to check the tables with.
import { AddedTokens } from "./added.ts";
import type { Count, Counter, Text } from "./counter.ts";
import { readAdded, readSpecials } from "./tables.ts";

type Json = Readonly<Record<string, unknown>>;

/** What a library gives for a text: the tokens, and where each is where that is known. */
interface Encoded {
  readonly length: number;
  readonly offsets?: readonly (readonly [number, number])[];
}

/** A counter that knows the added tokens of a tokenizer.json, which libraries do not tell. */
abstract class LibraryCounter implements Counter {
  abstract readonly about: string;
  readonly specials: number;
  readonly #added: AddedTokens;

  constructor(json: Json) {
    this.specials = readSpecials(json.post_processor);
    this.#added = new AddedTokens(readAdded(json.added_tokens));
  }

  endOfAdded(text: string, at: number): number {
    return this.#added.endAt(text, at);
  }

  abstract countAll(texts: readonly Text[]): readonly Count[] | Promise<readonly Count[]>;
}

/** Offsets of code points as offsets of code units. */
function unitsOf(text: string): (point: number) => number {
  if (text.search(/[\u{10000}-\u{10ffff}]/u) < 0) return (point) => point;
  const places: number[] = [];
  for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) places.push(at);
  places.push(text.length);
  return (point) => places[Math.min(point, places.length - 1)];
}

function within(encoded: Encoded, { text, ranges }: Text): number {
  const toUnits = unitsOf(text);
  let count = 0;
  for (const [start, end] of encoded.offsets ?? []) {
    const [from, to] = [toUnits(start), toUnits(end)];
    for (let i = 0; i < ranges.length; i += 2) {
      if (from < ranges[i + 1] && to > ranges[i]) {
        count++;
        break;
      }
    }
  }
  return count;
}

interface NativeEncoding {
  getLength(): number;
  getOffsets(): [number, number][];
}

interface Native {
  Tokenizer: {
    fromString(json: string): {
      encodeBatch(texts: string[], options: { addSpecialTokens: boolean }): Promise<NativeEncoding[]>;
    };
  };
}

/** The library in Rust, `tokenizers`: exact, and answers later. */
class NativeCounter extends LibraryCounter {
  readonly about = "by the library tokenizers";
  readonly #tokenizer: ReturnType<Native["Tokenizer"]["fromString"]>;

  constructor(native: Native, json: Json) {
    super(json);
    this.#tokenizer = native.Tokenizer.fromString(JSON.stringify(json));
  }

  async countAll(texts: readonly Text[]): Promise<readonly Count[]> {
    const list = texts.map(({ text }) => text);
    const encoded = await this.#tokenizer.encodeBatch(list, { addSpecialTokens: false });
    return encoded.map((one, i) => {
      const { ranges } = texts[i];
      const length = one.getLength();
      return {
        tokens: length,
        within: ranges.length === 0 ? 0 : within({ length, offsets: one.getOffsets() }, texts[i]),
      };
    });
  }
}

/** What is taken of the module `@huggingface/tokenizers`. */
export interface TokenizerLibrary {
  /** Its class of tokenizers, made from tokenizer.json and tokenizer_config.json. @internal */
  readonly Tokenizer: new (
    json: object,
    config: object,
  ) => { encode(text: string, options: { add_special_tokens: boolean }): { ids: readonly number[] } };
}

/** The library in JavaScript, `@huggingface/tokenizers`: it tells no offsets, so parts are counted by differences. */
class ScriptCounter extends LibraryCounter {
  readonly about = "by the library @huggingface/tokenizers";
  readonly #count: (text: string) => number;

  constructor({ Tokenizer }: TokenizerLibrary, json: Json) {
    super(json);
    const tokenizer = new Tokenizer(json, {});
    this.#count = (text) => (text === "" ? 0 : tokenizer.encode(text, { add_special_tokens: false }).ids.length);
  }

  countAll(texts: readonly Text[]): readonly Count[] {
    return texts.map(({ text, ranges }) => {
      let inside = 0;
      for (let i = 0; i < ranges.length; i += 2) {
        inside += this.#count(text.slice(0, ranges[i + 1])) - this.#count(text.slice(0, ranges[i]));
      }
      return { tokens: this.#count(text), within: inside };
    });
  }
}

async function load<T>(name: string): Promise<T | undefined> {
  try {
    // A name in a variable: bundlers leave alone what may not be there.
    return (await import(/* @vite-ignore */ name)) as T;
  } catch {
    return undefined;
  }
}

/** Undefined where a library does not take the tokenizer. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** A counter by the library in JavaScript; undefined where it does not take the tokenizer. */
export function scriptCounter(library: TokenizerLibrary, json: Json): Counter | undefined {
  return attempt(() => new ScriptCounter(library, json));
}

/** A counter by whichever library is installed, the exact one first; undefined where none is. */
export async function libraryCounter(json: Json, allowNative = true): Promise<Counter | undefined> {
  if (allowNative) {
    const native = await load<Native & { default?: Native }>("tokenizers");
    const found = native?.Tokenizer === undefined ? native?.default : native;
    const counter = found === undefined ? undefined : attempt(() => new NativeCounter(found, json));
    if (counter !== undefined) return counter;
  }
  const script = await load<TokenizerLibrary>("@huggingface/tokenizers");
  return script === undefined ? undefined : scriptCounter(script, json);
}
