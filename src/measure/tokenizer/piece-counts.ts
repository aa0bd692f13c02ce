// How many tokens a piece of text has, for the pieces that were seen before. A Map from strings would do the same; this
// table needs no string for a piece: it compares characters where they stand, which made counting 2 to 3 times as fast.

/** Longer pieces hardly come again. */
export const LONGEST = 32;

/** Beyond this many pieces the table is emptied, so that memory stays constant. */
const MOST = 1 << 20;

export class PieceCounts {
  #mask = (1 << 16) - 1;
  /** 1 + the number of the piece, 0 for an empty slot. */
  #slots = new Int32Array(1 << 16);
  #size = 0;
  #hashes = new Int32Array(1 << 15);
  #starts = new Int32Array(1 << 15);
  /** Length and count in one: count * 64 + length. */
  #counts = new Int32Array(1 << 15);
  #characters = new Uint16Array(1 << 18);
  #used = 0;
  #hash = 0;

  /** The count of text[from..to), or -1 where it is not known. At most LONGEST characters. */
  find(text: string, from: number, to: number): number {
    let hash = 0x811c9dc5;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;
    this.#hash = hash;
    const mask = this.#mask;
    const length = to - from;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot] - 1;
      if (entry < 0) return -1;
      if (this.#hashes[entry] !== hash) continue;
      const count = this.#counts[entry];
      if ((count & 63) !== length) continue;
      const start = this.#starts[entry];
      let same = 0;
      while (same < length && this.#characters[start + same] === text.charCodeAt(from + same)) same++;
      if (same === length) return count >> 6;
    }
  }

  /** Keeps the count of the piece that `find` did not find just now. */
  keep(text: string, from: number, to: number, count: number): void {
    const length = to - from;
    if (this.#size >= MOST) this.#clear();
    if (this.#size === this.#hashes.length) this.#growEntries();
    if (this.#used + length > this.#characters.length) {
      const grown = new Uint16Array(this.#characters.length * 2);
      grown.set(this.#characters);
      this.#characters = grown;
    }
    const entry = this.#size++;
    this.#hashes[entry] = this.#hash;
    this.#starts[entry] = this.#used;
    this.#counts[entry] = count * 64 + length;
    for (let i = from; i < to; i++) this.#characters[this.#used++] = text.charCodeAt(i);
    this.#insert(entry);
  }

  #insert(entry: number): void {
    const mask = this.#mask;
    let slot = this.#hashes[entry] & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
  }

  #growEntries(): void {
    const room = this.#hashes.length * 2;
    const grow = (old: Int32Array<ArrayBuffer>) => {
      const grown = new Int32Array(room);
      grown.set(old);
      return grown;
    };
    this.#hashes = grow(this.#hashes);
    this.#starts = grow(this.#starts);
    this.#counts = grow(this.#counts);
    this.#slots = new Int32Array(room * 2);
    this.#mask = room * 2 - 1;
    for (let entry = 0; entry < this.#size; entry++) this.#insert(entry);
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
    this.#used = 0;
  }
}
