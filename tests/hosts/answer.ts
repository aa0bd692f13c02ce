// Runs inside every JavaScript host: packs what it is asked to, and says which module did it. Knows no host.
import { generate, type Samples } from "../../bench/inputs.ts";
import type { Abi } from "../../src/core/abi.ts";
import type { Omnibal } from "../../src/index.ts";

export { generate };

/** One packing: an input by its name (bench/inputs.ts) and all options. */
export interface Job {
  readonly input: string;
  readonly maxVit: number;
  readonly maxTokens: number;
  readonly minVit: number;
  readonly minTokens: number;
  readonly rounds: number;
  readonly seed: number;
}

export interface Question {
  readonly jobs: readonly Job[];
  /** How many further runs of each job are timed, in the core alone. */
  readonly timed: number;
}

export interface Report {
  /** The host's name and version, as it says itself. */
  readonly engine: string;
  /** SHA-256 of the bytes that were compiled. */
  readonly module: string;
  readonly compiled: "streaming" | "bytes";
  /** SHA-256 of each job's groups: indices joined by commas, groups by LF. */
  readonly groups: readonly string[];
  /** SHA-256 of what `beyondIsf` makes, where the host has the facade. */
  readonly beyondIsf?: string;
  /** The same of `ofThreeLoads`, where the host's facade is this one. */
  readonly ofThreeLoads?: string;
  /** Milliseconds of the timed runs, by job. */
  readonly ms: readonly (readonly number[])[];
}

/** What a host makes of the module: the facade's class is one. */
export interface Packer {
  readonly abi: Abi;
  pack(input: Samples, options: Omit<Job, "input">): Iterable<Int32Array>;
}

async function sha256(bytes: BufferSource): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

type Found = Promise<{ compiled: Report["compiled"]; module: string }>;

/**
 * Listens at the engine's own entries, so that it is the bytes that ran whose hash is told, whoever loads them. Hosts
 * compile modules of their own there too (Node's fetch has one): ours is the one that packs.
 */
function listen(): Found[] {
  const found: Found[] = [];
  const note = (
    compiled: Report["compiled"],
    bytes: BufferSource | Promise<BufferSource>,
    made: WebAssembly.Module,
  ) => {
    const ours = WebAssembly.Module.exports(made).some(({ name }) => name === "isfBegin");
    if (ours) found.push(Promise.resolve(bytes).then(async (b) => ({ compiled, module: await sha256(b) })));
  };
  const { compile, instantiate, compileStreaming, instantiateStreaming } = WebAssembly;
  Object.assign(WebAssembly, {
    async compile(bytes: BufferSource) {
      const module = await compile(bytes);
      note("bytes", bytes, module);
      return module;
    },
    async instantiate(source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) {
      if (source instanceof WebAssembly.Module) return instantiate(source, imports);
      const made = await instantiate(source, imports);
      note("bytes", source, made.module);
      return made;
    },
    async compileStreaming(source: Response | Promise<Response>) {
      const response = await source;
      const bytes = response.clone().arrayBuffer();
      const module = await compileStreaming(response);
      note("streaming", bytes, module);
      return module;
    },
    async instantiateStreaming(source: Response | Promise<Response>, imports?: WebAssembly.Imports) {
      const response = await source;
      const bytes = response.clone().arrayBuffer();
      const made = await instantiateStreaming(response, imports);
      note("streaming", bytes, made.module);
      return made;
    },
  });
  return found;
}

/** The core alone, from lengths in its memory to groups in its memory. */
function timeCore(abi: Abi, { vit, tokens }: Samples, job: Job, runs: number): number[] {
  const bottom = abi.mark();
  const vitAt = abi.alloc(vit.length * 4) >>> 0;
  const tokensAt = abi.alloc(vit.length * 4) >>> 0;
  new Int32Array(abi.memory.buffer, vitAt, vit.length).set(vit);
  new Int32Array(abi.memory.buffer, tokensAt, vit.length).set(tokens);
  const once = () => {
    const top = abi.mark();
    const start = performance.now();
    abi.isfBegin(vit.length, job.maxVit, job.maxTokens, job.minVit, job.minTokens, job.seed);
    abi.isfPush(vitAt, tokensAt, vit.length);
    for (let round = 1; round <= job.rounds && abi.isfRound(round === job.rounds ? 1 : 0) > 0; round++);
    abi.isfFinish();
    const ms = performance.now() - start;
    abi.release(top);
    return ms;
  };
  const warm = Math.min(runs, 3);
  for (let run = 0; run < warm; run++) once();
  const ms = Array.from({ length: runs }, once);
  abi.release(bottom);
  return ms;
}

/** Packs by the exports alone, as assembly/index.ts documents them: what a host without the facade does. */
export function packByAbi(abi: Abi, { vit, tokens }: Samples, job: Omit<Job, "input">): Int32Array[] {
  const top = abi.mark();
  const done = (status: number) => {
    if (status !== 0) throw new Error(`status ${status}`);
  };
  const n = vit.length;
  done(abi.isfBegin(n, job.maxVit, job.maxTokens, job.minVit, job.minTokens, job.seed));
  const at = abi.alloc(n * 8) >>> 0;
  if (at === 0) throw new Error("out of memory");
  const buffer = new Int32Array(abi.memory.buffer, at, n * 2);
  buffer.set(vit);
  buffer.set(tokens, n);
  done(abi.isfPush(at, at + n * 4, n));
  for (let round = 1; round <= job.rounds && abi.isfRound(round === job.rounds ? 1 : 0) > 0; round++);
  done(abi.isfFinish());
  const groups = abi.packingGroups();
  const offsets = new Int32Array(abi.memory.buffer, abi.packingOffsets() >>> 0, groups + 1);
  const order = new Int32Array(abi.memory.buffer, abi.packingOrder() >>> 0, offsets[groups]);
  const out = Array.from({ length: groups }, (_, g) => order.slice(offsets[g], offsets[g + 1]));
  abi.release(top);
  return out;
}

/** The hash of a balanced packing, a plan of it, a sampler's batches and the groups of a stream, floats left out. */
export async function beyondIsf(omnibal: Omnibal): Promise<string> {
  const input = generate("tiled:20000");
  const bounds = { maxVit: 9, maxTokens: 4096 };
  const packing = omnibal.pack(input, { ...bounds, method: "balanced", seed: 3 });
  const plan = omnibal.plan(packing, {
    ranks: 16,
    microBatch: 2,
    epoch: 5,
    seed: 3,
    balance: { vit: 1, attention: 2 },
  });
  const sampler = omnibal.sampler(packing, { kind: "length-group", ranks: 16, rank: 7, epoch: 5, seed: 3 });
  const packer = omnibal.packer({ ...bounds, buffer: 500, seed: 3 });
  const streamed = [...packer.push(input).groups, ...packer.flush().groups].map(({ indices }) => indices);
  const lines = [packing.offsets, packing.indices, plan.order, ...sampler, ...streamed].map((part) => part.join(","));
  return sha256(new TextEncoder().encode(lines.join("\n")));
}

/** Packings of three bounded loads and a carried one, of both methods and of a stream. */
export async function ofThreeLoads(omnibal: Omnibal): Promise<string> {
  const input = generate("tiled:20000");
  const three = { ...input, patches: Float64Array.from(input.vit, (vit, i) => vit * 1000 + (i % 777)) };
  const max = { patches: 9500, tokens: 4096, "tokens^2": 6_000_000 };
  const loads = (["isf", "balanced"] as const).flatMap((method) => {
    const own = omnibal.pack(three, { max, carry: ["vit"], method, seed: 3 });
    return [own.offsets, own.indices, own.oversize, ...Object.values(own.loads), [own.bound, own.mix]];
  });
  const queue = omnibal.packer({ max, carry: ["vit"], buffer: 500, seed: 3 });
  const queued = [...queue.push(three).groups, ...queue.flush().groups].map(({ indices }) => indices);
  const lines = [...loads, ...queued].map((part) => part.join(","));
  return sha256(new TextEncoder().encode(lines.join("\n")));
}

export async function answer(question: Question, load: () => Promise<Packer>, engine: string): Promise<Report> {
  const found = listen();
  const packer = await load();
  if (found.length !== 1) throw new Error(`the module was compiled ${found.length} times, expected once`);
  const groups: string[] = [];
  const ms: number[][] = [];
  for (const job of question.jobs) {
    const { input: name, ...options } = job;
    const input = generate(name);
    const text = Array.from(packer.pack(input, options), (group) => group.join(",")).join("\n");
    groups.push(await sha256(new TextEncoder().encode(text)));
    ms.push(timeCore(packer.abi, input, job, question.timed));
  }
  const omnibal = packer as unknown as Omnibal;
  const more =
    "plan" in packer ? { beyondIsf: await beyondIsf(omnibal), ofThreeLoads: await ofThreeLoads(omnibal) } : {};
  return { engine, ...(await found[0]), groups, ms, ...more };
}

/** For pages and workers: gets the question from the server they came from and posts the report, or what failed. */
export async function answerServer(load: () => Promise<Packer>): Promise<void> {
  const post = (body: unknown) => fetch("/report", { method: "POST", body: JSON.stringify(body) });
  try {
    const question = (await (await fetch("/question")).json()) as Question;
    await post(await answer(question, load, navigator.userAgent));
  } catch (error) {
    await post({ failed: String(error) });
  }
}
