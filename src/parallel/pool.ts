// A pool of workers that measure candidates: one instance of the core each, from one compiled module, the lengths in
// shared memory where there is such. Answers come back in the order of the tasks, whichever worker did them when.
import { type Candidate, type Measured, measure } from "../candidate.ts";
import { type ErrorCode, InputError, OptionError, RuntimeError } from "../errors.ts";
import type { Lengths } from "../lengths.ts";
import type { Omnibal } from "../omnibal.ts";

/** To a worker. */
export type Request =
  | { readonly kind: "open"; readonly module: WebAssembly.Module; readonly sets: readonly Lengths[] }
  | { readonly kind: "task"; readonly id: number; readonly set: number; readonly candidate: Candidate };

/** From a worker. */
export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly id: number; readonly measured: Measured }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly name: string;
      readonly message: string;
      readonly code: string | undefined;
    };

/** A candidate, and which of the pool's sets of lengths to pack. */
export interface Task {
  readonly set: number;
  readonly candidate: Candidate;
}

/** What a pool needs of a Web Worker or a worker thread. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  terminate(): unknown;
  addEventListener?(type: "message" | "error" | "messageerror", listen: (event: MessageEvent) => void): void;
  on?(type: "message" | "error" | "exit", listen: (value: unknown) => void): unknown;
}

/** Starts the packaged worker. @throws where there are no workers. */
function startWorker(): WorkerLike {
  // Written out where it is used: bundlers look for this very expression.
  if (typeof Worker !== "undefined") {
    return new Worker(new URL("./worker.js", import.meta.url), { type: "module" }) as WorkerLike;
  }
  const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
  if (threads === undefined) throw new Error("no workers here");
  return new threads.Worker(new URL("./worker.js", import.meta.url));
}

/** Processors there are, 1 if nobody says. */
export function processors(): number {
  const os = globalThis.process?.getBuiltinModule?.("node:os");
  return os?.availableParallelism?.() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** The same lengths where all workers can read them; as they are where memory cannot be shared (then each gets a copy). */
function share(lengths: Lengths): Lengths {
  if (typeof SharedArrayBuffer === "undefined") return lengths;
  const copy = (values: Int32Array): Int32Array => {
    if (values.buffer instanceof SharedArrayBuffer) return values;
    const shared = new Int32Array(new SharedArrayBuffer(values.byteLength));
    shared.set(values);
    return shared;
  };
  return { vit: copy(lengths.vit), tokens: copy(lengths.tokens) };
}

function revive(answer: Extract<Answer, { kind: "failed" }>): Error {
  const kinds: Record<string, new (code: ErrorCode, message: string) => Error> = {
    InputError,
    OptionError,
    RuntimeError,
  };
  const Kind = kinds[answer.name];
  return Kind === undefined ? new Error(answer.message) : new Kind(answer.code as ErrorCode, answer.message);
}

interface Seat {
  readonly worker: WorkerLike;
  /** Gets the next answer; undefined: the worker is gone. */
  listen: (answer: Answer | undefined) => void;
}

function seat(worker: WorkerLike): Seat {
  const place: Seat = { worker, listen: () => {} };
  const gone = () => place.listen(undefined);
  if (worker.on !== undefined) {
    worker.on("message", (answer) => place.listen(answer as Answer));
    worker.on("error", gone);
    worker.on("exit", gone);
  } else {
    worker.addEventListener?.("message", (event) => place.listen(event.data as Answer));
    worker.addEventListener?.("error", gone);
    worker.addEventListener?.("messageerror", gone);
  }
  return place;
}

function ask(place: Seat, request: Request): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    place.listen = resolve;
    try {
      place.worker.postMessage(request);
    } catch {
      resolve(undefined);
    }
  });
}

/** Lets timers, messages and an abort have their turn. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** How long the instance of the caller may work before it lets others have their turn, in ms. */
const BREATH = 30;

/** Workers for one search. */
export class Pool {
  readonly #omnibal: Omnibal;
  readonly #sets: readonly Lengths[];
  #seats: readonly Seat[];

  private constructor(omnibal: Omnibal, sets: readonly Lengths[], seats: readonly Seat[]) {
    this.#omnibal = omnibal;
    this.#sets = sets;
    this.#seats = seats;
  }

  /** Workers that are at work; 0: the caller's own instance does it all. */
  get size(): number {
    return this.#seats.length;
  }

  /**
   * Starts up to `workers` workers. Those that do not start (no such thing here, a policy against it, their file not
   * served) are left out; with none, `run` works on `omnibal` itself.
   */
  static async open(
    omnibal: Omnibal,
    sets: readonly Lengths[],
    workers: number,
    start: () => WorkerLike = startWorker,
  ): Promise<Pool> {
    const { module } = omnibal;
    if (module === undefined || workers < 1) return new Pool(omnibal, sets, []);
    const shared = sets.map(share);
    const seats: Seat[] = [];
    try {
      for (let k = 0; k < workers; k++) seats.push(seat(start()));
    } catch {
      // As many as there are.
    }
    const ready = await Promise.all(
      seats.map(async (place) => {
        const answer = await ask(place, { kind: "open", module, sets: shared });
        if (answer?.kind === "ready") return true;
        place.worker.terminate();
        return false;
      }),
    );
    return new Pool(
      omnibal,
      sets,
      seats.filter((_, k) => ready[k]),
    );
  }

  /**
   * Measures all tasks; the answers are in their order. A worker that dies gives its task back.
   *
   * @throws what a task throws; the signal's reason, at once: the pool is closed then.
   */
  async run(tasks: readonly Task[], onDone: (measured: Measured) => void, signal?: AbortSignal): Promise<Measured[]> {
    signal?.throwIfAborted();
    const answers: Measured[] = new Array(tasks.length);
    const returned: number[] = [];
    let next = 0;
    const take = (): number | undefined => returned.pop() ?? (next < tasks.length ? next++ : undefined);
    const work = async (place: Seat): Promise<void> => {
      for (let id = take(); id !== undefined; id = take()) {
        const answer = await ask(place, { kind: "task", id, ...tasks[id] });
        if (answer === undefined) {
          returned.push(id);
          this.#seats = this.#seats.filter((other) => other !== place);
          return;
        }
        if (answer.kind === "failed") throw revive(answer);
        if (answer.kind !== "done") throw new RuntimeError("LOAD_FAILED", `a worker answered ${answer.kind}`);
        answers[id] = answer.measured;
        onDone(answer.measured);
      }
    };
    let stop: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(signal?.reason);
      signal?.addEventListener("abort", stop, { once: true });
    });
    try {
      await Promise.race([Promise.all(this.#seats.map(work)), aborted]);
      let since = performance.now();
      for (let id = take(); id !== undefined; id = take()) {
        if (performance.now() - since > BREATH) {
          await breathe();
          since = performance.now();
        }
        signal?.throwIfAborted();
        const { set, candidate } = tasks[id];
        answers[id] = measure(this.#omnibal, this.#sets[set], candidate);
        onDone(answers[id]);
      }
      return answers;
    } catch (error) {
      this.close();
      throw error;
    } finally {
      if (stop !== undefined) signal?.removeEventListener("abort", stop);
    }
  }

  /** Ends the workers, at once. */
  close(): void {
    for (const { worker } of this.#seats) worker.terminate();
    this.#seats = [];
  }
}
