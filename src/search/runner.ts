import type { Lengths } from "../core/lengths.ts";
import type { Candidate, Measured } from "./candidate.ts";
import type { EpochCandidate, EpochMeasured } from "./epoch-candidate.ts";

/** What can be tried: for the published objective, or for the time of an epoch. */
export type AnyCandidate = Candidate | EpochCandidate;
/** What trying a candidate gives. */
export type MeasuredOf<C extends AnyCandidate> = C extends EpochCandidate ? EpochMeasured : Measured;

/** A candidate, and which of the runner's sets of lengths to pack. */
export interface Task<C extends AnyCandidate = Candidate> {
  /** Which set, from 0 on. */
  readonly set: number;
  /** What to pack it with. */
  readonly candidate: C;
}

/** What tries candidates: one instance of the core, or a pool of workers. */
export interface Runner {
  /** Workers that are at work; 0: the caller's own instance does it all. */
  readonly size: number;
  /**
   * Measures all tasks; the answers are in their order, whichever was done first.
   *
   * @throws what a task throws; the signal's reason, at once: the runner is closed then.
   */
  run<C extends AnyCandidate>(
    tasks: readonly Task<C>[],
    onDone: (measured: MeasuredOf<C>) => void,
    signal?: AbortSignal,
  ): Promise<MeasuredOf<C>[]>;
  /** Ends the workers. */
  close(): void;
}

/** Makes a runner over these sets of lengths with a number of workers; undefined: as many as suit the machine. */
export type OpenRunner = (sets: readonly Lengths[], workers: number | undefined) => Promise<Runner>;
