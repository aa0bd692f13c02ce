// A corpus of image-text samples that repeats no text, of any size: the same bytes for the same seed. Words follow
// Zipf's law over a vocabulary without end, so that new ones keep coming, as they do in what people write; between them
// are numbers, code, tables and other scripts.

/** A small generator of numbers, mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const COMMON = `
the of and to in a is that for it as was with be by on not he his but at are this have from or had an they
which one you were all her she there would their we him been has when who will no more if out so up said what
its about than into them can only other time new some could these two may first then do any like my now over
such our man me even most made after also did many off before must well back through years where much your way
down should because long each just state those people too mr how little good world make very year still see
own work men day get here between both being under three never know same last another while us might great old
come since go right used take states use house against himself place around small however home found part
school thought went say general high upon once every left war number course image picture shows figure table
person street sign color red blue green white black holding standing sitting next building window answer
question following describe please during without again think head though something set want system always
public fact until does water group end called possible side room almost social order second rate need far
seems face case given program line large late point form present area already company problem several
important service national power light city country different kind human body often society interest night
early view best member among family history business law type community name president church four five six
seven eight nine ten money level local least certain mind field education development period free able reason
century study research result position force special process idea experience change market value month effect
policy center total union action control american difference death data woman week open cost move method
similar sound voice food paper land art party plan current common subject surface space future strong support
issue above military report moment million nature north south east west door language doctor hour base rest
term section industry theory increase require produce design wall hospital management quality production
nothing half sense material board student teacher pressure music summer winter spring army record price stage
trade expected range science temperature available property tax single simple computer technology patient
department medical cell blood foreign normal performance sample test model training measure average weight
function matrix vector token layer error loss gradient batch memory network input output signal energy mass
speed distance length width height angle corner edge circle square triangle box bottle cup plate knife fork
chair desk lamp floor roof garden tree flower grass mountain river lake ocean beach island forest desert road
bridge train plane car bus truck bicycle boat ship engine wheel driver passenger station airport hotel
restaurant kitchen bedroom bathroom office factory farm village town capital border region province district
museum library theater park stadium dog cat horse cow sheep bird fish snake lion tiger bear elephant monkey
rabbit mouse child baby boy girl mother father brother sister friend neighbor player coach team game ball goal
score winner champion race match season letter word sentence page book chapter author writer reader story poem
title news magazine newspaper article television radio phone camera screen keyboard button switch cable
battery metal iron steel gold silver copper glass plastic wood stone concrete paint brush pencil ink shirt
dress shoe hat coat jacket glove ring watch bag wallet key lock rope chain bread butter cheese milk egg meat
chicken rice pasta soup salad fruit apple orange banana grape lemon sugar salt pepper oil coffee tea juice
beer wine morning afternoon evening minute yesterday today tomorrow monday friday sunday january march july
december rain snow wind cloud storm sun moon star planet earth sky fire smoke dust sand soil rock hill valley
`
  .trim()
  .split(/\s+/);
const BEFORE = ["", "", "", "", "", "un", "re", "over", "pre", "in", "dis", "sub", "inter", "non", "mis"];
const ENDINGS = [
  "s",
  "s",
  "ed",
  "ing",
  "er",
  "ly",
  "al",
  "ness",
  "able",
  "ment",
  "ist",
  "ful",
  "less",
  "ship",
  "hood",
  "like",
];
const ONSETS = "b c d f g h k l m n p r s t v w br ch cl cr dr fl gr pl sh st tr".split(" ");
const VOWELS = "a e i o u a e i o ai ea ee io oo ou".split(" ");
const CODAS = ["", "", "n", "r", "s", "t", "l", "d", "m", "nd", "st", "ck", "ng"];
const SCRIPTS: readonly (readonly [from: number, to: number])[] = [
  [0x430, 0x44f],
  [0x4e00, 0x55ff],
  [0x3042, 0x3093],
  [0xac00, 0xafff],
  [0x627, 0x64a],
  [0x905, 0x939],
];

/**
 * The word of a rank: the frequent ones are English, the next ones are made of these, and names that nobody has heard
 * come last.
 */
export function word(rank: number): string {
  if (rank < COMMON.length) return COMMON[rank];
  const next = random(rank * 2654435761);
  const pick = (list: readonly string[]) => list[Math.floor(next() * list.length)];
  if (rank < 40_000) {
    const stem = pick(COMMON);
    return next() < 0.15 ? stem + pick(COMMON) : pick(BEFORE) + stem + pick(ENDINGS);
  }
  let name = "";
  for (let i = 1 + Math.floor(next() * 3); i >= 0; i--)
    name += pick(ONSETS) + pick(VOWELS) + (i === 0 ? pick(CODAS) : "");
  return name.replace(/^./, (c) => c.toUpperCase());
}

export class Writer {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = random(seed);
  }

  below(n: number): number {
    return Math.floor(this.#next() * n);
  }

  /** Zipf's law, steeper from the words on that few know. */
  #word(): string {
    const kind = this.#next();
    const [from, to] = kind < 0.93 ? [1, 4_000] : kind < 0.985 ? [4_000, 40_000] : [40_000, 2_000_000];
    return word(Math.floor(from * Math.exp(this.#next() * Math.log(to / from))) - 1);
  }

  sentence(): string {
    const words = Array.from({ length: 5 + this.below(20) }, () => {
      const kind = this.#next();
      if (kind < 0.03) return String(this.below(10 ** (1 + this.below(5))));
      if (kind < 0.04) return `${this.below(100)}.${this.below(100)}%`;
      if (kind < 0.06) return this.#word().toUpperCase();
      if (kind < 0.12) return this.#word().replace(/^./, (c) => c.toUpperCase());
      const text = this.#word();
      return kind < 0.2 ? `${text},` : kind < 0.21 ? `"${text}"` : kind < 0.22 ? `(${text})` : text;
    });
    return `${words.join(" ").replace(/^./, (c) => c.toUpperCase())}${this.#next() < 0.9 ? "." : "?"}`;
  }

  #code(): string {
    const name = () => this.#word().replaceAll(/[^a-z]/g, "");
    return Array.from({ length: 3 + this.below(6) }, () => {
      const indent = "    ".repeat(this.below(3));
      return `${indent}${name()}.${name()}_${name()}(${name()}=${this.below(1000)}, "${name()}")  # ${name()}`;
    }).join("\n");
  }

  #table(): string {
    return Array.from(
      { length: 3 + this.below(5) },
      () => `| ${this.#word()} | ${this.below(10000)} | ${(this.#next() * 100).toFixed(2)} |`,
    ).join("\n");
  }

  #foreign(): string {
    const [from, to] = SCRIPTS[this.below(SCRIPTS.length)];
    return Array.from({ length: 3 + this.below(12) }, () =>
      String.fromCharCode(
        ...Array.from({ length: 1 + this.below(8) }, () => from + Math.floor(this.#next() ** 2 * (to - from))),
      ),
    ).join(from === 0x4e00 || from === 0x3042 ? "，" : " ");
  }

  /** Roughly how many characters. */
  text(length: number): string {
    const parts: string[] = [];
    let size = 0;
    while (size < length) {
      const kind = this.#next();
      const part =
        kind < 0.86
          ? this.sentence()
          : kind < 0.9
            ? `\n${this.#code()}\n`
            : kind < 0.93
              ? `\n${this.#table()}\n`
              : kind < 0.98
                ? this.#foreign()
                : `\n\n## ${this.sentence()}\n- ${this.sentence()}`;
      parts.push(part);
      size += part.length + 1;
    }
    return parts.join(" ");
  }
}

/** Sample `i` in LLaVA's form: two to six turns, 1.5 kB of text, most with a picture. */
export function sample(i: number, image: string | undefined): Record<string, unknown> {
  const writer = new Writer(i * 7919 + 13);
  const turns = 1 + writer.below(3);
  const conversations = Array.from({ length: turns * 2 }, (_, turn) => ({
    from: turn % 2 === 0 ? "human" : "gpt",
    value: `${turn === 0 && image !== undefined ? "<image>\n" : ""}${writer.text(turn % 2 === 0 ? 400 / turns : 1000 / turns)}`,
  }));
  return { id: `sample-${i}`, ...(image === undefined ? {} : { image }), conversations };
}
