// A pool of workers that measure candidates: one instance of the core each, from one compiled module, the lengths in
// shared memory where there is such. Answers come back in the order of the tasks, whichever worker did them when.

import type { Core } from "../core/core.ts";
import { EngineError } from "../core/errors.ts";
import type { Lengths } from "../core/lengths.ts";
import type { WorkerLike } from "../core/worker-like.ts";
import type { AnyCandidate, MeasuredOf, Runner, Task } from "../search/runner.ts";
import { tryCandidate } from "../search/try.ts";
import { ask, breathe, processors, revive, type Seat, seat, share, startWorker } from "./link.ts";

/** How long the instance of the caller may work before it lets others have their turn, in ms. */
const BREATH = 30;

/** Workers for one search. */
export class Pool implements Runner {
  readonly #core: Core;
  readonly #sets: readonly Lengths[];
  #seats: readonly Seat[];

  private constructor(core: Core, sets: readonly Lengths[], seats: readonly Seat[]) {
    this.#core = core;
    this.#sets = sets;
    this.#seats = seats;
  }

  /** Workers that are at work; 0: the caller's own instance does it all. */
  get size(): number {
    return this.#seats.length;
  }

  /**
   * Starts up to `workers` workers. Those that do not start (no such thing here, a policy against it, their file not
   * served) are left out; with none, `run` works on `core` itself.
   */
  static async open(
    core: Core,
    sets: readonly Lengths[],
    workers = Math.min(processors(), 8),
    start: () => WorkerLike = startWorker,
  ): Promise<Pool> {
    const { module } = core;
    if (module === undefined || workers < 1) return new Pool(core, sets, []);
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
      core,
      sets,
      seats.filter((_, k) => ready[k]),
    );
  }

  /**
   * Measures all tasks; the answers are in their order. A worker that dies gives its task back.
   *
   * @throws what a task throws; the signal's reason, at once: the pool is closed then.
   */
  async run<C extends AnyCandidate>(
    tasks: readonly Task<C>[],
    onDone: (measured: MeasuredOf<C>) => void,
    signal?: AbortSignal,
  ): Promise<MeasuredOf<C>[]> {
    signal?.throwIfAborted();
    const answers: MeasuredOf<C>[] = new Array(tasks.length);
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
        if (answer.kind !== "done") throw new EngineError("LOAD_FAILED", `a worker answered ${answer.kind}`);
        answers[id] = answer.measured as MeasuredOf<C>;
        onDone(answers[id]);
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
        answers[id] = tryCandidate(this.#core, this.#sets[set], candidate);
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
