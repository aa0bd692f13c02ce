// What a worker of the page does: one instance of the core and the samples, and every question about them.
import { zipSync } from "fflate";
import { compare, usualCost } from "../../compare/index.ts";
import {
  loadCoreSync,
  Omnibal,
  type Packing,
  type PackOptions,
  type Plan,
  type RoundInfo,
  type SearchProgress,
} from "../../index.ts";
import { readLengths } from "../../read/index.ts";
import { packingFiles, planFiles } from "../../write/bytes.ts";
import type { ByLoad } from "../view.ts";
import { glass, packedFigures, stepFigures } from "./figures.ts";
import type { Answer, CurvePoint, Opened, PackSettings, Request, SourceFile, StepSettings } from "./messages.ts";
import { aboutLoads, type Columns, density, partOf, type Samples } from "./samples.ts";
import { planTrace } from "./trace.ts";

/** Beyond so many samples a part of them is packed first. */
const PART_FROM = 200_000;
/** How many: some 10 ms. */
const PART = 40_000;
/** Samples per group that the page begins with. */
const FIRST_PER_GROUP = 4;
/** How long a bound rests before all samples are packed, where they are very many, in ms. */
const SETTLED = 100;
/** How long the worker works before it looks for a newer request, in ms. */
const BREATH = 12;

type Kind<K extends Request["kind"]> = Extract<Request, { kind: K }>;

/** A turn for messages. setTimeout would wait 4 ms each time. */
const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(undefined);
  });
}

/** What makes the groups, of the settings that the method has. */
export function packOptions({ max, min, method, effort, rounds, seed }: PackSettings): PackOptions {
  const isf = Object.keys(min).length === 0 ? { rounds } : { rounds, min };
  const own = method === "balanced" ? { effort } : isf;
  return { method, ...own, seed, max, lowerBound: "tight" } as unknown as PackOptions;
}

export class Engine {
  readonly #omnibal: Omnibal;
  readonly #post: (answer: Answer, transfer?: Transferable[]) => void;
  #samples: Samples = { count: 0, columns: {}, files: [] };
  #part: Columns | undefined;
  #packed: { readonly key: string; readonly packing: Packing } | undefined;
  #planned: { readonly key: string; readonly plan: Plan } | undefined;
  /** The newest request of a computation: older ones end where they are. */
  #newest = 0;
  /** Ends a rest. */
  #hurry: () => void = () => {};
  #tail: Promise<void> = Promise.resolve();

  constructor(module: ArrayBuffer, post: (answer: Answer, transfer?: Transferable[]) => void) {
    this.#omnibal = new Omnibal(loadCoreSync(module));
    this.#post = post;
  }

  /** One request after another but for the density, which needs no core. Whatever is being computed ends for a newer request. */
  answer(request: Exclude<Request, Kind<"open">>): Promise<void> {
    if (request.kind === "compute" || request.kind === "read" || request.kind === "take") this.#newest = request.id;
    this.#hurry();
    const run = () => this.#run(request);
    if (request.kind === "density") return run();
    this.#tail = this.#tail.then(run);
    return this.#tail;
  }

  async #run(request: Exclude<Request, Kind<"open">>): Promise<void> {
    const { id } = request;
    try {
      if (request.kind === "read") await this.#read(request);
      else if (request.kind === "take") await this.#take(id, request.columns, request.files);
      else if (request.kind === "density") this.#post(density(this.#samples, id, request.frame));
      else if (request.kind === "compute") await this.#compute(request);
      else if (request.kind === "search") await this.#search(request);
      else if (request.kind === "compare") this.#compare(request);
      else this.#file(request);
    } catch (error) {
      this.#post({ kind: "failed", id, message: error instanceof Error ? error.message : String(error) });
    }
    this.#post({ kind: "end", id });
  }

  async #read({ id, files, loads }: Kind<"read">): Promise<void> {
    const started = performance.now();
    let told = started;
    const { files: found, ...columns } = await readLengths([...files], {
      omnibal: this.#omnibal,
      ...(loads.length === 0 ? {} : { loads }),
      onProgress: (done, total) => {
        const now = performance.now();
        if (now - told < 50) return;
        told = now;
        this.#post({ kind: "progress", id, done: total === undefined ? 0 : done / total, what: "reading" });
      },
    });
    const { invalid: _, ...own } = columns as Columns;
    await this.#take(id, own, found);
  }

  async #take(id: number, columns: Columns, files: readonly SourceFile[]): Promise<void> {
    const count = Object.values(columns)[0]?.length ?? 0;
    this.#samples = { count, columns, files };
    this.#part = count > PART_FROM ? partOf(this.#samples, PART) : undefined;
    this.#packed = undefined;
    this.#planned = undefined;
    const loads = aboutLoads(this.#samples);
    const opened: Opened = {
      kind: "opened",
      ...{ id, samples: count, files, loads },
      max: await this.#firstBounds(),
      cost: count === 0 ? {} : usualCost(columns),
    };
    this.#post(opened);
  }

  /** What the search for groups of four samples would try first; of other loads than it knows, four times their mean. */
  async #firstBounds(): Promise<ByLoad> {
    const { columns, count } = this.#samples;
    const loads = aboutLoads(this.#samples);
    let first: ByLoad | undefined;
    if (count > 0 && loads.length === 2 && columns.vit !== undefined && columns.tokens !== undefined) {
      const found = new Error("the first candidate");
      const onProgress = ({ last }: SearchProgress) => {
        first = { vit: last.maxVit, tokens: last.maxTokens };
        throw found;
      };
      const options = { ranks: 8, samplesPerGroup: FIRST_PER_GROUP, workers: 0, onProgress };
      await this.#omnibal.search(columns, options).catch((error: unknown) => {
        if (error !== found) throw error;
      });
    }
    // Bounds that leave samples out would be a strange beginning.
    return Object.fromEntries(
      loads.map(({ name, most, mean }) => [
        name,
        Math.max(1, most, first === undefined ? Math.ceil(mean * FIRST_PER_GROUP) : first[name]),
      ]),
    );
  }

  /** Packs, unless it was just done with these settings. undefined: a newer request has come. */
  async #pack(id: number, settings: PackSettings): Promise<Packing | undefined> {
    const key = JSON.stringify(settings);
    if (this.#packed?.key === key) return this.#packed.packing;
    const options = packOptions(settings);
    const started = performance.now();
    const curve: CurvePoint[] = [];
    if (this.#part !== undefined) {
      const packing = this.#omnibal.pack(this.#part, options);
      const about = { id, settings, part: PART, ms: performance.now() - started };
      this.#post(packedFigures(packing, about, []));
      // While a bound moves, the whole is not begun: it takes 0.2 s before it first looks for a newer request.
      this.#post({ kind: "progress", id, done: 0, what: "packing all samples" });
      await new Promise<void>((resolve) => {
        this.#hurry = resolve;
        setTimeout(resolve, SETTLED);
      });
      if (id !== this.#newest) return undefined;
    }
    const steps = this.#omnibal.packInRounds(this.#samples.columns, options);
    let since = performance.now();
    try {
      for (let step = steps.next(); ; step = steps.next()) {
        if (step.done === true) {
          const packing = step.value;
          this.#packed = { key, packing };
          this.#planned = undefined;
          const about = { id, settings, part: undefined, ms: performance.now() - started };
          this.#post(packedFigures(packing, about, curve));
          return packing;
        }
        const { done, groups } = step.value;
        const { round, loose } = step.value as Partial<RoundInfo>;
        if (round !== undefined) curve.push({ at: round, groups, ...(loose === undefined ? {} : { loose }) });
        else if (groups > 0) curve.push({ at: done * 100, groups });
        if (performance.now() - since < BREATH) continue;
        if (this.#part !== undefined) this.#post({ kind: "progress", id, done, what: "packing all samples" });
        await breathe();
        if (id !== this.#newest) return undefined;
        since = performance.now();
      }
    } finally {
      steps.return(undefined as never);
    }
  }

  #advised({ max }: PackSettings): readonly ByLoad[] {
    const names = Object.keys(max);
    if (names.length !== 2 || max.vit === undefined || max.tokens === undefined) return [];
    const bounds = this.#omnibal.suitableBounds(this.#samples.columns, { maxVit: max.vit, maxTokens: max.tokens });
    return bounds.map(({ maxVit, maxTokens }) => ({ vit: maxVit, tokens: maxTokens }));
  }

  #plan(packing: Packing, { ranks, microBatch, seed, aim, cost }: StepSettings): Plan {
    const key = JSON.stringify([ranks, microBatch, seed, aim, cost]);
    if (this.#planned?.key === key) return this.#planned.plan;
    const balance =
      aim === "time"
        ? {
            msPerTile: cost.vit ?? 0,
            msPerToken: cost.tokens ?? 0,
            msPerTokenSquared: cost["tokens^2"] ?? 0,
          }
        : undefined;
    const plan = this.#omnibal.plan(packing, {
      ...{ ranks, microBatch, seed, compare: true },
      ...(balance === undefined ? {} : { balance }),
    });
    this.#planned = { key, plan };
    return plan;
  }

  async #compute(request: Kind<"compute">): Promise<void> {
    const { id } = request;
    if (id !== this.#newest) return;
    const packing = await this.#pack(id, request.pack);
    if (packing === undefined) return;
    await breathe();
    if (id !== this.#newest) return;
    if (request.group !== undefined && packing.length > 0) this.#post(glass(this.#samples, packing, id, request.group));
    if (request.steps !== undefined && packing.length > 0) this.#steps(id, packing, request.steps);
    await breathe();
    if (id === this.#newest) this.#post({ kind: "advice", id, advised: this.#advised(request.pack) });
  }

  /** Not every packing can be planned: why not is part of the view. */
  #steps(id: number, packing: Packing, settings: StepSettings): void {
    try {
      this.#post(stepFigures(packing, this.#plan(packing, settings), id, settings));
    } catch (error) {
      this.#post({ kind: "no-steps", id, message: (error as Error).message });
    }
  }

  async #search({ id, ranks, perGroup, seed, rounds }: Kind<"search">): Promise<void> {
    const { winner, pareto, candidates, nearest, why } = await this.#omnibal.search(
      { ...this.#samples.columns, files: this.#samples.files } as never,
      {
        ...{ ranks, seed, rounds, workers: 0, samplesPerGroup: perGroup },
        onProgress: ({ done, total }) =>
          this.#post({ kind: "progress", id, done: total > 0 ? done / total : 0, what: "searching" }),
      },
    );
    const shown = new Set(pareto);
    const others = (winner === null ? nearest : candidates).filter((row) => !shown.has(row));
    this.#post({ kind: "searched", id, winner, pareto, others, why });
  }

  #compare({ id, ranks, seed, max, cost }: Kind<"compare">): void {
    const comparison = compare(this.#omnibal, this.#samples.columns, { ranks, seed, max, cost });
    this.#post({ kind: "compared", id, comparison });
  }

  #file({ id, what, format, pack, steps }: Kind<"file">): void {
    const key = JSON.stringify(pack);
    if (this.#packed?.key !== key) {
      this.#packed = { key, packing: this.#omnibal.pack(this.#samples.columns, packOptions(pack)) };
      this.#planned = undefined;
    }
    const { packing } = this.#packed;
    const samples = { ...this.#samples.columns, files: this.#samples.files } as unknown as Parameters<
      typeof packingFiles
    >[2];
    let files: ReadonlyMap<string, Iterable<Uint8Array>>;
    if (what === "packing") files = packingFiles(this.#omnibal, packing, samples, format);
    else if (what === "plan") {
      files = planFiles(this.#omnibal, this.#plan(packing, steps), packing, samples, format);
    } else {
      const text = planTrace(packing, this.#plan(packing, steps), steps.cost);
      files = new Map([["trace.json", [new TextEncoder().encode(text)]]]);
    }
    const made = Array.from(files, ([name, pieces]) => [name, joined(pieces)] as const);
    const [name, bytes] =
      made.length === 1 ? made[0] : [`${what}-${format}.zip`, zipSync(Object.fromEntries(made), { level: 6 })];
    this.#post({ kind: "file", id, name, bytes: bytes.buffer as ArrayBuffer }, [bytes.buffer as ArrayBuffer]);
  }
}

function joined(pieces: Iterable<Uint8Array>): Uint8Array {
  // A piece may be a view of the core's memory, which is used again for the next.
  const all = Array.from(pieces, (piece) => piece.slice());
  const out = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of all) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
