import { Worker } from "node:worker_threads";
import { type ErrorCode, InputError, OptionError } from "../../core/errors.ts";
import { requireFamily } from "../families/index.ts";
import { type Measured, Measurer, type MeasurerSource } from "./measurer.ts";
import type { Answer, Task } from "./worker.ts";

/** Batches that a worker has at once, so that it never waits for the next. */
const AHEAD = 2;

interface Waiting {
  readonly done: (measured: Measured) => void;
  readonly fail: (error: unknown) => void;
}

/** Measures batches on threads, or on none. */
export class Pool {
  readonly #workers: Worker[] = [];
  readonly #busy: number[] = [];
  readonly #waiting = new Map<number, Waiting & { readonly worker: number }>();
  readonly #measurer: Promise<Measurer> | undefined;
  #next = 0;
  #failed: unknown;

  constructor(source: MeasurerSource, workers: number) {
    if (workers === 0) {
      this.#measurer = Measurer.make(source, requireFamily(source.model.family));
      this.#measurer.catch(() => {});
      return;
    }
    for (let i = 0; i < workers; i++) {
      // Without the flags of this process: `node --input-type=module -e` would keep a worker from its file.
      const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: source, execArgv: [] });
      worker.on("message", (answer: Answer) => this.#settle(answer));
      worker.on("error", (error) => this.#break(error));
      worker.on("exit", (code) => {
        if (code !== 0) this.#break(new Error(`a worker ended with ${code}`));
      });
      this.#workers.push(worker);
      this.#busy.push(0);
    }
  }

  /** How many batches can be under way at once. */
  get room(): number {
    return Math.max(this.#workers.length * AHEAD, 1);
  }

  async measure(set: number, batch: Task["batch"]): Promise<Measured> {
    if (this.#failed !== undefined) throw this.#failed;
    if (this.#measurer !== undefined) return (await this.#measurer).measure(batch, set);
    const worker = this.#busy.indexOf(Math.min(...this.#busy));
    const id = this.#next++;
    this.#busy[worker]++;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail, worker });
      const transfer = batch.kind === "json" ? [batch.bytes.buffer, batch.ends.buffer] : [];
      this.#workers[worker].postMessage({ id, set, batch } satisfies Task, transfer);
    });
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    this.#busy[waiting.worker]--;
    if ("values" in answer) waiting.done(answer);
    else waiting.fail(revived(answer.error));
  }

  #break(error: unknown): void {
    this.#failed = error;
    for (const { fail } of this.#waiting.values()) fail(error);
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** An error of this package as the class that it was. */
function revived({ name, code, message, stack }: Extract<Answer, { error: unknown }>["error"]): Error {
  if (name === "InputError") return new InputError(code as ErrorCode, message);
  if (name === "OptionError") return new OptionError(code as ErrorCode, message);
  return Object.assign(new Error(message), { name, stack });
}
