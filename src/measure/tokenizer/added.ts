import type { AddedToken } from "./tables.ts";

interface Node {
  readonly next: Map<number, Node>;
  token: AddedToken | undefined;
}

const node = (): Node => ({ next: new Map(), token: undefined });

const isSpace = (c: string) => /\p{White_Space}/u.test(c);
const isWord = (c: string) => /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u.test(c);

/** The code point that ends before `at`. */
function before(text: string, at: number): string {
  const unit = text.charCodeAt(at - 1);
  return unit >= 0xdc00 && unit <= 0xdfff && at > 1 ? text.slice(at - 2, at) : text.slice(at - 1, at);
}

/** Finds added tokens in a text: the first, and of those that begin there the longest. */
export class AddedTokens {
  readonly #root = node();
  /** 1 for code units that a token begins with. */
  readonly #starts = new Uint8Array(0x10000);
  /** The one code unit that all begin with, which is searched for faster. */
  readonly #only: string | undefined;
  readonly isEmpty: boolean;
  /** Where the token that `find` found begins and ends. */
  start = 0;
  end = 0;

  constructor(tokens: readonly AddedToken[]) {
    const firsts = new Set<string>();
    for (const token of tokens) {
      if (token.content === "") continue;
      let at = this.#root;
      for (let i = 0; i < token.content.length; i++) {
        const unit = token.content.charCodeAt(i);
        let next = at.next.get(unit);
        if (next === undefined) {
          next = node();
          at.next.set(unit, next);
        }
        at = next;
      }
      at.token ??= token;
      this.#starts[token.content.charCodeAt(0)] = 1;
      firsts.add(token.content[0]);
    }
    this.isEmpty = firsts.size === 0;
    this.#only = firsts.size === 1 ? [...firsts][0] : undefined;
  }

  /** Whether there is a token in text[from..to); `start` and `end` tell where. */
  find(text: string, from: number, to: number): boolean {
    for (let at = this.#candidate(text, from, to); at < to; at = this.#candidate(text, at + 1, to)) {
      const token = this.#longest(text, at, to);
      if (token === undefined) continue;
      this.start = at;
      this.end = at + token.content.length;
      if (token.singleWord) {
        // Such a match is passed over whole, not looked into for a shorter token.
        const joined =
          (at > from && isWord(before(text, at))) ||
          (this.end < to && isWord(String.fromCodePoint(text.codePointAt(this.end) ?? 0)));
        if (joined) {
          at = this.end - 1;
          continue;
        }
      }
      if (token.lstrip) while (this.start > from && isSpace(text[this.start - 1])) this.start--;
      if (token.rstrip) while (this.end < to && isSpace(text[this.end])) this.end++;
      return true;
    }
    return false;
  }

  /** Where a token that begins at `at` ends, or `at`. */
  endAt(text: string, at: number): number {
    const token =
      at < text.length && this.#starts[text.charCodeAt(at)] === 1 ? this.#longest(text, at, text.length) : undefined;
    return at + (token?.content.length ?? 0);
  }

  #candidate(text: string, from: number, to: number): number {
    if (this.#only !== undefined) {
      const at = text.indexOf(this.#only, from);
      return at < 0 ? to : at;
    }
    const starts = this.#starts;
    let at = from;
    while (at < to && starts[text.charCodeAt(at)] === 0) at++;
    return at;
  }

  #longest(text: string, from: number, to: number): AddedToken | undefined {
    let found: AddedToken | undefined;
    let at: Node | undefined = this.#root;
    for (let i = from; i < to; i++) {
      at = at.next.get(text.charCodeAt(i));
      if (at === undefined) break;
      if (at.token !== undefined) found = at.token;
    }
    return found;
  }
}
