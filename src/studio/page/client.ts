// The page's end of its workers. One answers while bounds are dragged; another is started for a search or a comparison,
// and ended with it.
import type { Answer, Frame, PackSettings, Request, SourceFile, StepSettings } from "./messages.ts";
import type { Columns } from "./samples.ts";
import StudioWorker from "./worker.ts?worker&inline";

type Long = Extract<Request, { kind: "search" | "compare" }>;
type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;

/** What a computation is to give. */
export interface Wanted {
  readonly pack: PackSettings;
  readonly steps?: StepSettings;
  readonly group?: number;
}

type Given =
  | { readonly files: readonly File[]; readonly loads: readonly string[] }
  | { readonly columns: Columns; readonly files: readonly SourceFile[] };

export class Client {
  readonly #module: ArrayBuffer;
  readonly #hear: (answer: Answer) => void;
  readonly #worker: Worker;
  #id = 0;
  /** The request whose first answer is awaited; a newer one waits for it, and of those only the newest. */
  #asked = 0;
  #next: Wanted | undefined;
  #reading = 0;
  #density = 0;
  readonly #files = new Map<number, (answer: Extract<Answer, { kind: "file" | "failed" }>) => void>();
  #given: Given | undefined;
  #long: { readonly worker: Worker; readonly id: number } | undefined;

  constructor(module: ArrayBuffer, hear: (answer: Answer) => void) {
    this.#module = module;
    this.#hear = hear;
    this.#worker = this.#start((answer) => this.#onAnswer(answer));
  }

  #start(hear: (answer: Answer) => void): Worker {
    const worker = new StudioWorker();
    worker.onmessage = ({ data }: MessageEvent<Answer>) => hear(data);
    worker.onerror = ({ message }) =>
      this.#hear({ kind: "failed", id: -1, message: message || "the worker has ended" });
    worker.postMessage({ kind: "open", module: this.#module } satisfies Request);
    return worker;
  }

  /** Reads files, or takes samples, in place of those that there are. */
  open(given: Given): void {
    this.stop();
    this.#given = given;
    this.#asked = 0;
    this.#next = undefined;
    this.#reading = this.#send(
      this.#worker,
      "columns" in given ? { kind: "take", ...given } : { kind: "read", ...given },
    );
  }

  #send(worker: Worker, request: Unnumbered<Exclude<Request, { kind: "open" }>>): number {
    const id = ++this.#id;
    worker.postMessage({ ...request, id });
    return id;
  }

  density(frame: Frame): void {
    this.#density = this.#send(this.#worker, { kind: "density", frame });
  }

  /** Asks for figures; while an answer is awaited, only the newest wish is kept. */
  compute(wanted: Wanted): void {
    this.#next = wanted;
    if (this.#asked === 0) this.#askNext();
  }

  #askNext(): void {
    this.#asked = 0;
    const wanted = this.#next;
    if (wanted === undefined) return;
    this.#next = undefined;
    this.#asked = this.#send(this.#worker, { kind: "compute", ...wanted });
    this.#computing = this.#asked;
  }

  /** The newest computation: answers of older ones are stale. */
  #computing = 0;

  #onAnswer(answer: Answer): void {
    const { id, kind } = answer;
    const file = this.#files.get(id);
    if (file !== undefined) {
      if (kind !== "file" && kind !== "failed") return;
      this.#files.delete(id);
      file(answer);
    } else if (id === this.#computing) {
      if (kind === "end") this.#computing = 0;
      this.#hear(answer);
      // The first figures are there: a newer wish may be asked for.
      if (id === this.#asked && kind !== "progress") this.#askNext();
    } else if (id === this.#reading || id === this.#density || id === -1) this.#hear(answer);
  }

  file(
    request: Omit<Extract<Request, { kind: "file" }>, "id" | "kind">,
  ): Promise<{ name: string; bytes: ArrayBuffer }> {
    return new Promise((resolve, reject) => {
      const id = this.#send(this.#worker, { kind: "file", ...request });
      this.#files.set(id, (answer) => {
        if (answer.kind === "file") resolve(answer);
        else reject(new Error(answer.message));
      });
    });
  }

  /** Starts what takes long, in a worker of its own, which ends what took long before it. */
  begin(request: Unnumbered<Long>): void {
    this.stop();
    const given = this.#given;
    if (given === undefined) return;
    const worker = this.#start((answer) => {
      if (answer.id === taking) {
        if (answer.kind === "failed") this.#hear(answer);
        return;
      }
      if (answer.id !== id) return;
      if (answer.kind === "end") this.stop();
      this.#hear(answer);
    });
    const taking = this.#send(worker, "columns" in given ? { kind: "take", ...given } : { kind: "read", ...given });
    const id = this.#send(worker, request);
    this.#long = { worker, id };
  }

  /** Ends what takes long. */
  stop(): void {
    this.#long?.worker.terminate();
    this.#long = undefined;
  }

  /** Figures are awaited. */
  get isComputing(): boolean {
    return this.#computing !== 0 || this.#next !== undefined;
  }

  get isLong(): boolean {
    return this.#long !== undefined;
  }
}
