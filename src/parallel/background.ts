// One packing in a worker of its own, so that the caller's thread stays free.
import { RuntimeError } from "../errors.ts";
import { type Lengths, type LengthsInput, toLengths } from "../lengths.ts";
import type { Omnibal, PackOptions } from "../omnibal.ts";
import { Packing } from "../packing.ts";
import { type Answer, ask, breathe, revive, type Seat, seat, share, startWorker, type WorkerLike } from "./seat.ts";

export interface PackAsyncOptions extends PackOptions {
  /** Starts a worker that runs the package's `dist/parallel/worker.js`, where that is not served as it stands. */
  readonly startWorker?: () => WorkerLike;
}

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
  { startWorker: start = startWorker, onRound, signal, ...options }: PackAsyncOptions,
): Promise<Packing> {
  signal?.throwIfAborted();
  const input = toLengths(lengths);
  const place = await open(omnibal.module, input, start);
  if (place === undefined) return packBetweenTurns(omnibal, input, options, onRound, signal);
  let stop: (() => void) | undefined;
  try {
    return await new Promise<Packing>((resolve, reject) => {
      stop = () => reject(signal?.reason);
      // An abort while the worker started has found nobody listening.
      if (signal?.aborted === true) return stop();
      signal?.addEventListener("abort", stop, { once: true });
      place.listen = (answer: Answer | undefined) => {
        if (answer?.kind === "round") {
          try {
            onRound?.(answer.info);
          } catch (error) {
            reject(error);
          }
        } else if (answer?.kind === "packed") resolve(new Packing(answer.parts));
        else if (answer?.kind === "failed") reject(revive(answer));
        else reject(new RuntimeError("LOAD_FAILED", "the worker ended before the packing was done"));
      };
      place.worker.postMessage({ kind: "pack", set: 0, options });
    });
  } finally {
    place.worker.terminate();
    if (stop !== undefined) signal?.removeEventListener("abort", stop);
  }
}

async function packBetweenTurns(
  omnibal: Omnibal,
  input: Lengths,
  options: PackOptions,
  onRound: PackOptions["onRound"],
  signal: AbortSignal | undefined,
): Promise<Packing> {
  const rounds = omnibal.packInRounds(input, options);
  try {
    for (;;) {
      const step = rounds.next();
      if (step.done === true) return step.value;
      onRound?.(step.value);
      await breathe();
      signal?.throwIfAborted();
    }
  } finally {
    // Left half-way, the core is still busy with it.
    rounds.return(undefined as never);
  }
}
