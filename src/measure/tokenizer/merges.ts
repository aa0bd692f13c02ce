// Byte pair encoding, as far as it takes to count: which of two neighbours are merged next, and how many are left.

/** Entries of the table are four numbers: left, right, rank, and the token that they become. */
const ENTRY = 4;

/** Pieces up to this length are merged by looking through all pairs each time, longer ones with a heap. */
const SHORT = 48;

export type SharedInt32 = Int32Array<ArrayBufferLike>;

function slot(left: number, right: number, mask: number): number {
  let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right + 0x7f4a7c15, 0x85ebca6b);
  hash ^= hash >>> 15;
  return hash & mask;
}

/** An Int32Array that workers can share, where the host has such. */
export function sharedInt32(length: number): SharedInt32 {
  const bytes = length * 4;
  return new Int32Array(
    typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes),
  );
}

/** A hash table of `pairs`, which come as left, right, result, by rank. */
export function buildMerges(pairs: ArrayLike<number>): SharedInt32 {
  const count = pairs.length / 3;
  let slots = 16;
  while (slots < count * 2) slots *= 2;
  const table = sharedInt32(slots * ENTRY);
  const mask = slots - 1;
  for (let rank = 0; rank < count; rank++) {
    const left = pairs[rank * 3];
    const right = pairs[rank * 3 + 1];
    let at = slot(left, right, mask) * ENTRY;
    while (table[at + 3] !== 0 && (table[at] !== left || table[at + 1] !== right)) {
      at = (at + ENTRY) & (mask * ENTRY + 3);
    }
    table[at] = left;
    table[at + 1] = right;
    table[at + 2] = rank;
    // 0 is an empty slot.
    table[at + 3] = pairs[rank * 3 + 2] + 1;
  }
  return table;
}

const NONE = 0x7fffffff;

/** Merges tokens of one piece at a time. */
export class Merger {
  readonly #table: SharedInt32;
  readonly #mask: number;
  /** The piece's tokens: filled by the caller, merged in place. */
  ids = new Int32Array(1024);
  /** Where each token of the merged piece ends, in tokens of the unmerged one; filled by `mergeEnds` only. */
  ends = new Int32Array(0);
  #ranks = new Int32Array(SHORT);
  #results = new Int32Array(SHORT);
  #foundResult = 0;

  constructor(table: SharedInt32) {
    this.#table = table;
    this.#mask = table.length / ENTRY - 1;
  }

  /** Makes room for `count` tokens. */
  reserve(count: number): void {
    if (this.ids.length < count) this.ids = new Int32Array(Math.max(count, this.ids.length * 2));
  }

  /** The rank of the merge of two tokens, NONE if there is none; its result is kept in #foundResult. */
  #find(left: number, right: number): number {
    const table = this.#table;
    const wrap = this.#mask * ENTRY + 3;
    let at = slot(left, right, this.#mask) * ENTRY;
    for (;;) {
      const result = table[at + 3];
      if (result === 0) return NONE;
      if (table[at] === left && table[at + 1] === right) {
        this.#foundResult = result - 1;
        return table[at + 2];
      }
      at = (at + ENTRY) & wrap;
    }
  }

  /** Merges the first `count` of `ids`; returns how many are left. */
  merge(count: number): number {
    if (count < 2) return count;
    return count <= SHORT ? this.#mergeShort(count, false) : this.#mergeLong(count, false);
  }

  /** The same, and fills `ends`. */
  mergeEnds(count: number): number {
    if (this.ends.length < count) this.ends = new Int32Array(count);
    for (let i = 0; i < count; i++) this.ends[i] = i + 1;
    if (count < 2) return count;
    return count <= SHORT ? this.#mergeShort(count, true) : this.#mergeLong(count, true);
  }

  #mergeShort(count: number, withEnds: boolean): number {
    const { ids } = this;
    const ranks = this.#ranks;
    const results = this.#results;
    for (let i = 0; i < count - 1; i++) {
      ranks[i] = this.#find(ids[i], ids[i + 1]);
      results[i] = this.#foundResult;
    }
    ranks[count - 1] = NONE;
    while (count > 1) {
      let best = NONE;
      let at = -1;
      for (let i = 0; i < count - 1; i++) {
        if (ranks[i] < best) {
          best = ranks[i];
          at = i;
        }
      }
      if (at < 0) break;
      ids[at] = results[at];
      count--;
      if (withEnds) {
        for (let i = at; i < count; i++) this.ends[i] = this.ends[i + 1];
      }
      for (let i = at + 1; i < count; i++) {
        ids[i] = ids[i + 1];
        ranks[i] = ranks[i + 1];
        results[i] = results[i + 1];
      }
      ranks[count - 1] = NONE;
      if (at < count - 1) {
        ranks[at] = this.#find(ids[at], ids[at + 1]);
        results[at] = this.#foundResult;
      }
      if (at > 0) {
        ranks[at - 1] = this.#find(ids[at - 1], ids[at]);
        results[at - 1] = this.#foundResult;
      }
    }
    return count;
  }

  /** With a linked list and a heap of (rank, place), of which stale entries are skipped: n log n. */
  #mergeLong(count: number, withEnds: boolean): number {
    const { ids } = this;
    const next = new Int32Array(count);
    const before = new Int32Array(count);
    const ranks = new Int32Array(count).fill(NONE);
    const results = new Int32Array(count);
    const heap = new Heap(count);
    const push = (at: number) => {
      const right = next[at];
      const rank = right < count ? this.#find(ids[at], ids[right]) : NONE;
      ranks[at] = rank;
      if (rank === NONE) return;
      results[at] = this.#foundResult;
      // A rank below 2^20 and a place below 2^32: exact in a double, and ordered by rank, then place.
      heap.push(rank * 2 ** 32 + at);
    };
    for (let i = 0; i < count; i++) {
      next[i] = i + 1;
      before[i] = i - 1;
    }
    for (let i = 0; i < count - 1; i++) push(i);
    const dead = new Uint8Array(count);
    let left = count;
    for (;;) {
      const top = heap.pop();
      if (top < 0) break;
      const rank = Math.floor(top / 2 ** 32);
      const at = top - rank * 2 ** 32;
      if (dead[at] === 1 || ranks[at] !== rank) continue;
      const right = next[at];
      ids[at] = results[at];
      dead[right] = 1;
      next[at] = next[right];
      if (next[at] < count) before[next[at]] = at;
      left--;
      push(at);
      if (before[at] >= 0) push(before[at]);
    }
    let out = 0;
    for (let i = 0; i < count; i = next[i]) {
      if (withEnds) this.ends[out] = next[i];
      ids[out++] = ids[i];
    }
    return left;
  }
}

/** A heap of numbers, the least on top. */
class Heap {
  #values: Float64Array;
  #size = 0;

  constructor(room: number) {
    this.#values = new Float64Array(Math.max(room, 16));
  }

  push(value: number): void {
    if (this.#size === this.#values.length) {
      const grown = new Float64Array(this.#size * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    const values = this.#values;
    let at = this.#size++;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (values[up] <= value) break;
      values[at] = values[up];
      at = up;
    }
    values[at] = value;
  }

  /** -1 when it is empty. */
  pop(): number {
    if (this.#size === 0) return -1;
    const values = this.#values;
    const top = values[0];
    const last = values[--this.#size];
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= this.#size) break;
      if (down + 1 < this.#size && values[down + 1] < values[down]) down++;
      if (values[down] >= last) break;
      values[at] = values[down];
      at = down;
    }
    values[at] = last;
    return top;
  }
}
