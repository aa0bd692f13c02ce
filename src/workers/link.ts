// One worker as the rest sees it: how it is started, asked and heard, and what passes between.

import { EngineError, type ErrorCode, InputError, OptionError } from "../core/errors.ts";
import { columnsOf, type Lengths, type LoadColumn } from "../core/lengths.ts";
import type { WorkerLike } from "../core/worker-like.ts";
import type { PackOptions } from "../pack/methods.ts";
import type { PackProgress } from "../pack/options.ts";
import type { PackingParts } from "../pack/packing.ts";
import type { GroupLoads } from "../plan/group-loads.ts";
import type { BalancedPlanOptions, PlanParts } from "../plan/plan.ts";
import type { Measured } from "../search/candidate.ts";
import type { EpochMeasured } from "../search/epoch-candidate.ts";
import type { AnyCandidate } from "../search/runner.ts";

type Postable<T> = T extends unknown ? Omit<T, "onRound" | "onProgress" | "signal"> : never;

/** Options of a packing that can be posted. */
export type PlainPackOptions = Postable<PackOptions>;

/** To a worker. */
export type Request =
  | { readonly kind: "open"; readonly module: WebAssembly.Module; readonly sets: readonly Lengths[] }
  | { readonly kind: "task"; readonly id: number; readonly set: number; readonly candidate: AnyCandidate }
  | { readonly kind: "pack"; readonly set: number; readonly options: PlainPackOptions }
  | { readonly kind: "plan"; readonly groups: GroupLoads; readonly options: BalancedPlanOptions };

/** From a worker. */
export type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly id: number; readonly measured: Measured | EpochMeasured }
  | { readonly kind: "progress"; readonly progress: PackProgress }
  | { readonly kind: "packed"; readonly parts: PackingParts }
  | { readonly kind: "planned"; readonly parts: Omit<PlanParts, "groups"> }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly name: string;
      readonly message: string;
      readonly code: string | undefined;
    };

/** Starts the packaged worker. @throws where there are no workers. */
export function startWorker(): WorkerLike {
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
export function share(lengths: Lengths): Lengths {
  if (typeof SharedArrayBuffer === "undefined") return lengths;
  const copy = (values: LoadColumn): LoadColumn => {
    if (values.buffer instanceof SharedArrayBuffer) return values;
    const buffer = new SharedArrayBuffer(values.byteLength);
    const shared = values instanceof Int32Array ? new Int32Array(buffer) : new Float64Array(buffer);
    shared.set(values);
    return shared;
  };
  return Object.fromEntries(columnsOf(lengths).map(([name, values]) => [name, copy(values)]));
}

/** The error that a worker has posted, as it would have been thrown here. */
export function revive({ name, message, code }: Extract<Answer, { kind: "failed" }>): Error {
  const kinds: Record<string, new (code: ErrorCode, message: string) => Error> = {
    InputError,
    OptionError,
    EngineError,
  };
  // One without a code of ours is none of ours, whatever its name: a bug, which keeps its name and its text.
  if (code === undefined || !Object.hasOwn(kinds, name)) return Object.assign(new Error(message), { name });
  return new kinds[name](code as ErrorCode, message);
}

export interface Seat {
  readonly worker: WorkerLike;
  /** Gets the next answer; undefined: the worker is gone. */
  listen: (answer: Answer | undefined) => void;
}

export function seat(worker: WorkerLike): Seat {
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

export function ask(place: Seat, request: Request): Promise<Answer | undefined> {
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
export function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
