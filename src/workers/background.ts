// One packing, or one plan, in a worker of its own, so that the caller's thread stays free.
import type { Core } from "../core/core.ts";
import { EngineError } from "../core/errors.ts";
import { type Lengths, type LengthsInput, toLengths } from "../core/lengths.ts";
import type { WorkerLike } from "../core/worker-like.ts";
import type { RoundInfo } from "../pack/isf.ts";
import type { PackOptions } from "../pack/methods.ts";
import { checkPackOptions } from "../pack/option-names.ts";
import { packInRounds } from "../pack/pack.ts";
import { type Packing, trustedPacking } from "../pack/packing.ts";
import { type GroupLoads, toParts } from "../plan/group-loads.ts";
import { GroupsIdentity } from "../plan/made.ts";
import { type BalancedPlanOptions, Plan, plan } from "../plan/plan.ts";
import { type Answer, ask, breathe, revive, type Seat, seat, share, startWorker } from "./link.ts";

/** Options of `pack`, and how to start a worker. */
export type PackAsyncOptions = PackOptions & {
  /** Starts a worker that runs the package's `dist/workers/worker.js`, where that is not served as it stands. */
  readonly startWorker?: () => WorkerLike;
};

/** A worker with the lengths at hand; undefined where there are none, or none that starts. */
async function open(
  module: WebAssembly.Module | undefined,
  sets: readonly Lengths[],
  start: () => WorkerLike,
): Promise<Seat | undefined> {
  if (module === undefined) return undefined;
  let place: Seat;
  try {
    place = seat(start());
  } catch {
    return undefined;
  }
  const answer = await ask(place, { kind: "open", module, sets });
  if (answer?.kind === "ready") return place;
  place.worker.terminate();
  return undefined;
}

/**
 * Packs in a worker. Where there is none, on the caller's thread, with a turn for others between rounds. An abort ends
 * the worker at once.
 */
export async function packInBackground(core: Core, lengths: LengthsInput, asked: PackAsyncOptions): Promise<Packing> {
  checkPackOptions("packAsync", asked, { startWorker: true });
  const { startWorker: start = startWorker, ...options } = asked;
  const { signal, onProgress } = options;
  const onRound = "onRound" in options ? options.onRound : undefined;
  signal?.throwIfAborted();
  const input = toLengths(lengths);
  const place = await open(core.module, [share(input)], start);
  if (place === undefined) return packBetweenTurns(core, input, options);
  let stop: (() => void) | undefined;
  try {
    return await new Promise<Packing>((resolve, reject) => {
      stop = () => reject(signal?.reason);
      // An abort while the worker started has found nobody listening.
      if (signal?.aborted === true) return stop();
      signal?.addEventListener("abort", stop, { once: true });
      place.listen = (answer: Answer | undefined) => {
        if (answer?.kind === "progress") {
          try {
            if ("round" in answer.progress) onRound?.(answer.progress as RoundInfo);
            onProgress?.(answer.progress);
          } catch (error) {
            reject(error);
          }
        } else if (answer?.kind === "packed") resolve(trustedPacking({ ...answer.parts, lengths: input }));
        else if (answer?.kind === "failed") reject(revive(answer));
        else reject(new EngineError("LOAD_FAILED", "the worker ended before the packing was done"));
      };
      const { signal: _, onProgress: __, ...plain } = { ...options, onRound: undefined };
      place.worker.postMessage({ kind: "pack", set: 0, options: plain });
    });
  } finally {
    place.worker.terminate();
    if (stop !== undefined) signal?.removeEventListener("abort", stop);
  }
}

/** Plans in a worker, or on the caller's thread where there is none: see `Omnibal.plan`. */
export async function planInBackground(core: Core, packing: GroupLoads, options: BalancedPlanOptions): Promise<Plan> {
  const { length, loads } = packing;
  const groups = { length, loads };
  const place = await open(core.module, [], startWorker);
  if (place === undefined) return plan(core, packing, options);
  try {
    const answer = await ask(place, { kind: "plan", groups, options });
    if (answer?.kind === "planned") {
      return new Plan({ ...answer.parts, groups: new GroupsIdentity(core.abi, toParts(packing)) });
    }
    if (answer?.kind === "failed") throw revive(answer);
    throw new EngineError("LOAD_FAILED", "the worker ended before the plan was done");
  } finally {
    place.worker.terminate();
  }
}

/** On the caller's thread, with a turn for others after each piece of work. */
async function packBetweenTurns(core: Core, input: Lengths, options: PackOptions): Promise<Packing> {
  const steps = packInRounds(core, input, options);
  try {
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      await breathe();
    }
  } finally {
    // Left half-way, the core is still busy with it.
    steps.return(undefined as never);
  }
}
