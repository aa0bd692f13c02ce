// One packing in a worker of its own, so that the caller's thread stays free.
import { RuntimeError } from "../core/errors.ts";
import { type Lengths, type LengthsInput, toLengths } from "../core/lengths.ts";
import type { Omnibal, PackOptions, RoundInfo } from "../omnibal.ts";
import { checkPackOptions } from "../pack/option-names.ts";
import { Packing } from "../pack/packing.ts";
import { type Answer, ask, breathe, revive, type Seat, seat, share, startWorker, type WorkerLike } from "./link.ts";

export type PackAsyncOptions = PackOptions & {
  /** Starts a worker that runs the package's `dist/parallel/worker.js`, where that is not served as it stands. */
  readonly startWorker?: () => WorkerLike;
};

/** A worker with the lengths at hand; undefined where there are none, or none that starts. */
async function open(
  module: WebAssembly.Module | undefined,
  input: Lengths,
  start: () => WorkerLike,
): Promise<Seat | undefined> {
  if (module === undefined) return undefined;
  let place: Seat;
  try {
    place = seat(start());
  } catch {
    return undefined;
  }
  const answer = await ask(place, { kind: "open", module, sets: [share(input)] });
  if (answer?.kind === "ready") return place;
  place.worker.terminate();
  return undefined;
}

/**
 * Packs in a worker. Where there is none, on the caller's thread, with a turn for others between rounds. An abort ends
 * the worker at once.
 */
export async function packInBackground(
  omnibal: Omnibal,
  lengths: LengthsInput,
  asked: PackAsyncOptions,
): Promise<Packing> {
  checkPackOptions("packAsync", asked, { startWorker: true });
  const { startWorker: start = startWorker, ...options } = asked;
  const { signal, onProgress } = options;
  const onRound = "onRound" in options ? options.onRound : undefined;
  signal?.throwIfAborted();
  const input = toLengths(lengths);
  const place = await open(omnibal.module, input, start);
  if (place === undefined) return packBetweenTurns(omnibal, input, options);
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
        } else if (answer?.kind === "packed") resolve(new Packing(answer.parts));
        else if (answer?.kind === "failed") reject(revive(answer));
        else reject(new RuntimeError("LOAD_FAILED", "the worker ended before the packing was done"));
      };
      const { signal: _, onProgress: __, ...plain } = { ...options, onRound: undefined };
      place.worker.postMessage({ kind: "pack", set: 0, options: plain });
    });
  } finally {
    place.worker.terminate();
    if (stop !== undefined) signal?.removeEventListener("abort", stop);
  }
}

/** On the caller's thread, with a turn for others after each piece of work. */
async function packBetweenTurns(omnibal: Omnibal, input: Lengths, options: PackOptions): Promise<Packing> {
  const steps = omnibal.packInRounds(input, options);
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
